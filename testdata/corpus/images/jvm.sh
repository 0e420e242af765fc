# A web service in Java: a jar whose manifest names a main class and a second jar.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='openjdk-17-jre-headless'
config='{"User":"65534","WorkingDir":"/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","JAVA_TOOL_OPTIONS=-XX:-UsePerfData"],"Entrypoint":["java","-Xmx128m","-jar","/app/service.jar"]}'
configure() {
  lacking javac && return 125
  mkdir -p "$work/greet" "$work/service" "$root/app/lib"
  cat >"$work/Greeting.java" <<'JAVA'
package greet;
public class Greeting {
  public static String of(String name) throws Exception {
    try (var in = Greeting.class.getResourceAsStream("/greet/words.properties")) {
      var words = new java.util.Properties();
      words.load(in);
      return words.getProperty("hello") + " " + name;
    }
  }
}
JAVA
  cat >"$work/Service.java" <<'JAVA'
package service;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.file.*;
import java.security.MessageDigest;
import java.util.HexFormat;
public class Service {
  public static void main(String[] args) throws Exception {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 8085), 0);
    server.createContext("/", exchange -> {
      String text;
      try {
        String name = Files.readString(Path.of("/app/name.txt")).strip();
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(name.getBytes("UTF-8"));
        text = greet.Greeting.of(name) + " " + HexFormat.of().formatHex(hash);
      } catch (Exception e) {
        text = e.toString();
      }
      byte[] body = text.getBytes("UTF-8");
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }
}
JAVA
  (cd "$work" && javac --release 17 -d . Greeting.java Service.java && echo 'hello=good day' >greet/words.properties &&
    jar --create --file "$root/app/lib/greet.jar" greet/Greeting.class greet/words.properties &&
    printf 'Main-Class: service.Service\nClass-Path: lib/greet.jar\n' >manifest &&
    jar --create --file "$root/app/service.jar" --manifest manifest service)
  echo world | put app/name.txt
}
serves=yes
work() { curl -sf http://127.0.0.1:8085/ | grep -q 'good day world 486ea462'; }
