"""From delivered files to verified, immutable snapshots, with a manifest and a quarantine."""
