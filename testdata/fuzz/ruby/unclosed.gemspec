s.require_paths = ["lib".freeze, "ext
require "a#{b
autoload :X,
$:<<__dir__+"/x