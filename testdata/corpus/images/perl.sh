# A Perl script with core modules, compiled ones, a packaged one and its own.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='perl libjson-xs-perl libwww-perl'
config='{"WorkingDir":"/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["/app/bin/report"],"Cmd":["--unit","kg"]}'
configure() {
  put app/bin/report 755 <<'PL'
#!/usr/bin/perl
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Getopt::Long qw(GetOptions);
use JSON::XS;
use JSON::PP ();
use LWP::UserAgent;
use POSIX qw(strftime floor);
use List::Util qw(sum);
use Digest::SHA qw(sha256_hex);
use Encode qw(decode);
use Report::Format;

GetOptions('unit=s' => \my $unit) or die;
my $text = LWP::UserAgent->new->get("file:$FindBin::Bin/../data/weights.json")->decoded_content;
my $weights = decode_json($text);
my $module = 'Report::Units';
eval "require $module" or die $@;
print Report::Format::line(floor(sum(@$weights)), Report::Units::name($unit)), "\n";
print sha256_hex(JSON::PP->new->canonical->encode($weights)), " ", strftime('%Y', gmtime 0), " ", length decode('iso-8859-15', "\xa4"), "\n";
PL
  printf 'package Report::Format;\nuse strict;\nuse Text::Wrap qw(wrap);\nsub line { return wrap("", "", join " ", @_) }\n1;\n' | put app/lib/Report/Format.pm
  printf 'package Report::Units;\nmy %%names = (kg => "kilograms");\nsub name { return $names{$_[0]} }\n1;\n' | put app/lib/Report/Units.pm
  echo '[1.5, 2, 3]' | put app/data/weights.json
}
work() { grep -qx '6 kilograms' "$log" && grep -qE '^[0-9a-f]{64} 1970 1$' "$log"; }
