#!/usr/bin/perl
use strict; use lib "$FindBin::Bin/lib", 'other';
use parent qw(A::B C);
use open ':encoding(UTF-8)';
=pod

use Documentation;

=cut
require "a.pl"; do './b.pl'; require Foo::Bar; eval "require $x"; require $y;
my $db = DBI->connect("dbi:SQLite:dbname=:memory:"); load_class('D::E');
__END__
use Never;
