use parent qw(A
require 'a
use lib qw