# A servlet container as Debian packages it: its start script makes the command line out of many
# variables by eval, and the directories that -Dcatalina.home and -Dcatalina.base name hold the rest.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='openjdk-17-jre-headless tomcat10'
config='{"User":"tomcat","WorkingDir":"/usr/share/tomcat10","Env":["PATH=/usr/share/tomcat10/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","CATALINA_HOME=/usr/share/tomcat10","CATALINA_BASE=/var/lib/tomcat10","JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64"],"Cmd":["catalina.sh","run"]}'
configure() {
  # No JSP: compiling one sets times of files, which Gramine does not.
  echo '<p>sum 42</p>' | put var/lib/tomcat10/webapps/shop/index.html
  put var/lib/tomcat10/webapps/shop/WEB-INF/web.xml <<'J'
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0"><display-name>x</display-name></web-app>
J
  echo hi | put var/lib/tomcat10/webapps/shop/a.txt
}
serves=yes
work() { curl -sf http://127.0.0.1:8080/shop/ | grep -q 'sum 42' && curl -sf http://127.0.0.1:8080/shop/a.txt && curl -s http://127.0.0.1:8080/nix | grep -q 404; }
