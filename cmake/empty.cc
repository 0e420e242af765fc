// Keeps a target valid while its folder has no source yet.
