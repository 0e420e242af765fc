setUpTheme();
setUpFindings();
setUpExplorer();
setUpTreemap();
setUpManifest();
setUpSections();
document.documentElement.dataset.ready = "true";
