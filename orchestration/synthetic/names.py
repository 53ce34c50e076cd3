"""Invented names, from syllables that make no town, school or district of Massachusetts (a test compares them)."""

from __future__ import annotations

import itertools

import numpy as np

TOWN_STARTS = (
    "Quill", "Tarn", "Osk", "Vell", "Brind", "Dromm", "Fenwa", "Gloss", "Harr", "Jasp", "Korr", "Larch",
    "Merr", "Nettle", "Orla", "Pell", "Rusk", "Sorr", "Thrum", "Umber", "Varr", "Wisp", "Yarra", "Zeph",
    "Callow", "Dapple", "Elder", "Frost", "Gannet", "Hazel", "Ivor", "Kestrel",
)  # fmt: skip
TOWN_ENDS = (
    "mere", "wick", "stow", "combe", "holt", "garth", "thorpe", "fell", "marsh", "haven", "cross", "mead",
    "rigg", "shaw", "beck", "strand",
)  # fmt: skip
SCHOOL_STARTS = (
    "Abri", "Beno", "Cori", "Dela", "Emmi", "Faro", "Gale", "Hesti", "Ilo", "Jora", "Kela", "Lumi", "Maro",
    "Neri", "Oba", "Peri", "Quo", "Rila", "Sela", "Tovi", "Ula", "Vesta", "Wilo", "Xanta", "Yori", "Zela",
    "Anzo", "Brio", "Cala", "Doro", "Esti", "Fini", "Gavo", "Hali", "Inza", "Juno", "Koro", "Lisko", "Mova",
    "Nuri", "Osto", "Pravi", "Rondo", "Sulo", "Tavi", "Vero", "Yuma", "Zori",
)  # fmt: skip
SCHOOL_ENDS = (
    "bar", "beth", "crest", "dane", "dell", "farn", "gan", "gorn", "hart", "kell", "kirk", "lane", "lark",
    "linde", "lock", "lund", "mann", "mark", "mond", "nath", "nell", "nor", "pard", "quist", "rand", "rell",
    "rost", "sand", "sell", "skar", "strom", "tane", "tell", "thal", "tor", "vald", "ver", "wald", "wen", "zar",
)  # fmt: skip


def town_names(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different town names."""
    return _pick(rng, TOWN_STARTS, TOWN_ENDS, count)


def school_words(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different first words of school names."""
    return _pick(rng, SCHOOL_STARTS, SCHOOL_ENDS, count)


def _pick(rng: np.random.Generator, starts: tuple[str, ...], ends: tuple[str, ...], count: int) -> list[str]:
    every = [a + b for a, b in itertools.product(starts, ends)]
    if count > len(every):
        every += [f"New {name}" for name in every]
    return [every[i] for i in rng.permutation(len(every))[:count]]
