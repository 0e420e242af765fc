<?php include dirname(dirname(__DIR__,9,"/x.$
require (((@__DIR__ . 
new DateTimeZone("