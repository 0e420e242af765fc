<?php
require __DIR__ . '/../vendor/autoload.php';
require_once dirname(__FILE__) . "/lib/$class.php";
include dirname(__DIR__, 2) . DIRECTORY_SEPARATOR . 'x.php';
spl_autoload_register(fn ($c) => require __DIR__ . '/src/' . $c . '.php');
/* include 'doc.php'; */
new DateTimeZone('Europe/Berlin'); new DateTimeZone($x); date_default_timezone_set("UTC");
return ['App\\' => array(__DIR__ . '/src')];
