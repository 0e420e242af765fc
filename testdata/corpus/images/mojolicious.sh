# Applications of Mojolicious and Dancer2: modules that frameworks find by their own rules.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='perl libmojolicious-perl libdbd-sqlite3-perl libdancer2-perl starman libplack-perl libtemplate-perl libyaml-perl ca-certificates'
config='{"User":"www-data","WorkingDir":"/app","Env":["PATH=/usr/local/bin:/usr/bin:/bin","MOJO_MODE=production"],"Entrypoint":["/app/run.sh"]}'
configure() {
  printf '#!/bin/sh\nset -e\nplackup -s Starman --workers 1 --port 8315 -E deployment bin/app.psgi &\nexec perl script/my_app prefork -w 1 -m production -l http://127.0.0.1:8314 -P /tmp/p.pid\n' | put app/run.sh 755
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
  put app/bin/app.psgi <<'P'
#!/usr/bin/env perl
use strict; use warnings; use FindBin; use lib "$FindBin::Bin/../lib";
use DApp; use Plack::Builder;
builder { enable 'Deflater' if 0; enable 'ContentLength'; DApp->to_app; }
P
  put app/lib/DApp.pm <<'P'
package DApp; use Dancer2; our $VERSION = '0.1';
get '/' => sub { template 'index' => { title => config->{appname} } };
get '/e' => sub { die "boom" };
true;
P
  printf 'appname: "DApp"\nlayout: "main"\ncharset: "UTF-8"\ntemplate: "template_toolkit"\nengines:\n  template:\n    template_toolkit:\n      start_tag: "<%%"\n      end_tag: "%%>"\n' | put app/config.yml
  printf 'log: "warning"\nshow_errors: 0\nserializer: ~\n' | sed '/serializer/d' | put app/environments/deployment.yml
  echo '<b><% title %></b>' | put app/views/index.tt
  echo '<html><% content %></html>' | put app/views/layouts/main.tt
  echo 'pub' | put app/public/d.txt
}
serves=yes
work() { curl -sf http://127.0.0.1:8314/ | grep -q cfg && curl -sf http://127.0.0.1:8314/j | grep -q 42 && curl -sf http://127.0.0.1:8314/p.txt && curl -s http://127.0.0.1:8314/nix | grep -qi found && curl -sf http://127.0.0.1:8315/ | grep -q DApp && curl -s http://127.0.0.1:8315/e | grep -qi error; }
