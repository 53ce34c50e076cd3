"""The auditor's pages: a release as a folder of pages that open from disk. Recomputes nothing."""
