# An application of Mojolicious: modules that a framework finds by its own rules.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='perl libmojolicious-perl libdbd-sqlite3-perl ca-certificates'
config='{"User":"www-data","WorkingDir":"/app","Env":["PATH=/usr/local/bin:/usr/bin:/bin","MOJO_MODE=production"],"Entrypoint":["/app/run.sh"]}'
configure() {
  printf '#!/bin/sh\nset -e\nexec perl script/my_app prefork -w 1 -m production -l http://127.0.0.1:8314 -P /tmp/p.pid\n' | put app/run.sh 755
  put app/script/my_app 755 <<'P'
#!/usr/bin/env perl
use strict; use warnings;
use Mojo::File qw(curfile);
use lib curfile->dirname->sibling('lib')->to_string;
use Mojolicious::Commands;
Mojolicious::Commands->start_app('MyApp');
P
  put app/lib/MyApp.pm <<'P'
package MyApp;
use Mojo::Base 'Mojolicious', -signatures;
use DBI;
sub startup ($self) {
  my $config = $self->plugin('Config');
  $self->helper(db => sub { state $d = DBI->connect('dbi:SQLite:dbname=:memory:', '', '') });
  my $r = $self->routes;
  $r->get('/')->to('Main#welcome');
  $r->get('/j')->to(cb => sub ($c) { $c->render(json => {a => $c->db->selectrow_array('select 42')}) });
}
1;
P
  put app/lib/MyApp/Controller/Main.pm <<'P'
package MyApp::Controller::Main;
use Mojo::Base 'Mojolicious::Controller', -signatures;
sub welcome ($self) { $self->render(msg => $self->app->config->{name}) }
1;
P
  echo '{name => "cfg", secrets => ["x"]}' | put app/my_app.conf
  printf "%% layout 'default';\n<h2><%%= \$msg %%></h2>\n" | put app/templates/main/welcome.html.ep
  printf '<html><%%= content %%></html>\n' | put app/templates/layouts/default.html.ep
  echo pub | put app/public/p.txt
}
serves=yes
work() { curl -sf http://127.0.0.1:8314/ | grep -q cfg && curl -sf http://127.0.0.1:8314/j | grep -q 42 && curl -sf http://127.0.0.1:8314/p.txt && curl -s http://127.0.0.1:8314/nix | grep -qi found; }
