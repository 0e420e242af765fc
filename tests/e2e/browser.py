"""A headless Chromium to drive: the DevTools protocol over a pipe, with Python's own library only.

    with Browser(program, directory) as browser:
        page = browser.open("/tmp/page.html", width=1280)
        page.run("document.title")

The protocol (chromedevtools.github.io/devtools-protocol): JSON messages that end in NUL, to the
browser on its descriptor 3 and from it on 4.
"""
import base64
import json
import os
import select
import signal
import subprocess
import time

PATIENCE = 60  # seconds for any one answer: the machine may be busy


class Page:
    """One page: what it said and asked for is kept in `complaints` and `requests`."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        self.complaints, self.requests, self.loaded = [], [], False
        browser.pages[session] = self

    def send(self, method, **parameters):
        return self.browser.send(method, parameters, self.session)

    def heard(self, method, event):
        if method == "Runtime.consoleAPICalled":
            self.complaints.append(" ".join(str(a.get("value", a.get("description"))) for a in event["args"]))
        elif method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded":
            self.complaints.append(event["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append("a dialog: " + event["message"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Page.loadEventFired":
            self.loaded = True

    def run(self, expression):
        """The value of a JavaScript expression; promises are waited for."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, expression):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            value = self.run(expression)
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError("never true: " + expression)

    KEYS = {"ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37, "ArrowRight": 39, "Escape": 27, "Enter": 13, "Tab": 9, "Home": 36, "End": 35}

    def press(self, *keys):
        """Keys by name ("ArrowDown") or as text that is typed."""
        for key in keys:
            for one in [key] if key in self.KEYS else key:
                code = self.KEYS[one] if one in self.KEYS else ord(one.upper()) if one.isalnum() else 0
                text = "\r" if one == "Enter" else one if one not in self.KEYS else None
                down = {"text": text} if text else {}
                self.send("Input.dispatchKeyEvent", type="keyDown", key=one, windowsVirtualKeyCode=code, **down)
                self.send("Input.dispatchKeyEvent", type="keyUp", key=one, windowsVirtualKeyCode=code)

    def screenshot(self, path, whole=True):
        image = self.send("Page.captureScreenshot", captureBeyondViewport=whole, **({"clip": self.extent()} if whole else {}))
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))

    def extent(self):
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1}


class Browser:
    def __init__(self, program, directory):
        to_browser, self.writes = os.pipe()
        self.reads, from_browser = os.pipe()

        def descriptors():
            # Not onto each other: first out of the way, then to 3 and 4.
            reading, writing = os.dup2(to_browser, 60), os.dup2(from_browser, 61)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.log = open(os.path.join(directory, "chromium.log"), "wb")
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--password-store=basic",
             "--user-data-dir=" + os.path.join(directory, "profile"), "--remote-debugging-pipe", "about:blank"],
            preexec_fn=descriptors, close_fds=False, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self.pages, self.answers, self.number, self.rest = {}, {}, 0, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def listen(self):
        ready, _, _ = select.select([self.reads], [], [], PATIENCE)
        piece = os.read(self.reads, 1 << 20) if ready else b""
        if not piece:
            raise AssertionError("the browser says nothing; see " + self.log.name)
        *messages, self.rest = (self.rest + piece).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            elif message.get("sessionId") in self.pages:
                self.pages[message["sessionId"]].heard(message["method"], message["params"])

    def send(self, method, parameters=None, session=None):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        text = json.dumps(message).encode() + b"\0"
        while text:
            text = text[os.write(self.writes, text):]
        while self.number not in self.answers:
            self.listen()
        answer = self.answers.pop(self.number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, path, width=1280, height=900, dark=False, scripts=True):
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        page = Page(self, self.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(domain + ".enable")
        page.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        page.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        page.requests.clear()
        page.send("Page.navigate", url="file://" + os.path.abspath(path))
        while not page.loaded:
            self.listen()
        return page
