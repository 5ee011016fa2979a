"""A real Spring Boot application with spring-kafka: the client `spring` of the table (clients/spring)."""
import os
import shutil
import time
import uuid

import clients
from cell import Broken, Cell, Failed, pack, record

WORDS = ("안녕하세요, 카프카", "주문이 접수되었습니다: 1,000원", "plain words", "가나다라마바사 🥟", "")


def command(address):
    clients.need("javac", "apt-get install default-jdk-headless")
    base = os.path.join(clients.SOURCES, "spring")
    libs = clients.maven_jars(os.path.join(base, "pom.xml"), "spring")
    sources = clients.files("spring/src", suffixes=(".java", ".properties"))

    def build(folder):
        java = [path for path in sources if path.endswith(".java")]
        clients.run(["javac", "-nowarn", "-proc:none", "-parameters", "-d", folder, "-cp", f"{libs}/*", *java], clients.HERE, "compiling the Spring application")
        shutil.copy(os.path.join(base, "src", "application.properties"), folder)
    classes = clients.built("spring-classes", sources, build)
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", f"{classes}:{libs}/*", "moldau.Application",
            f"--spring.kafka.bootstrap-servers={address}"]


def heard(app):
    return [r["value"].decode() for r in app.records()]


def template_and_listener(start):
    """What the template sends, the listener hears, byte for byte and in order."""
    app, mark = start(), uuid.uuid4().hex
    sent = [f"{mark} {word}" for word in WORDS]
    for value in sent:
        app.ask("send", value=pack(value.encode()), seconds=90)
    app.wait(lambda _: set(sent) <= set(heard(app)), "everything that was sent", 60)
    mine = [value for value in heard(app) if value.startswith(mark)]
    if sorted(mine) != sorted(sent):
        raise AssertionError(f"sent {sent}, heard {mine}")


def earliest(start):
    """A record that was there before the application is heard once, by the next run nothing of it: the listener's offsets are committed."""
    mark = uuid.uuid4().hex
    first = start()
    first.ask("send", value=pack(mark.encode()), seconds=90)
    first.wait(lambda _: mark in heard(first), "the record", 60)
    first.end()
    second, later = start(), uuid.uuid4().hex
    second.ask("send", value=pack(later.encode()), seconds=90)
    second.wait(lambda _: later in heard(second), "the later record", 60)
    if mark in heard(second):
        raise AssertionError("the next run heard what the first had heard")


def others(start):
    """What another client wrote in Korean is heard byte for byte; what the template sent, another client reads."""
    app, mark = start(), uuid.uuid4().hex
    app.ask("send", value=pack(mark.encode()), seconds=90)
    other = Cell("confluent-debian", clients.CLIENTS["confluent-debian"][0](), app.address)
    try:
        value = f"{mark} 다른 클라이언트가 보낸 값"
        other.ask("produce", topic="test", records=[record(value.encode())])
        app.wait(lambda _: value in heard(app), "the other client's record", 60)
        where = app.ask("send", value=pack(value.encode()))[0]
        found = other.ask("consume", topic="test", partition=where["partition"], offset=where["offset"], count=1)[0]
        if found["value"] != pack(value.encode()):
            raise AssertionError(f"the other client read {found}")
    finally:
        other.end()


FEATURES = {"spring-template-and-listener": template_and_listener, "spring-earliest": earliest, "spring-and-others": others}


def run(wanted, address, table, served):
    try:
        line = command(address)
    except clients.Missing as error:
        table.put("spring", "start", "FAIL", 0, str(error))
        return
    for feature in wanted:
        began, apps = time.monotonic(), []

        def start():
            app = Cell("spring", line, address)
            apps.append(app)
            about = app.ask("about", seconds=120)[0]
            table.versions["spring"] = f"{about['client']} {about['version']}"
            return app
        try:
            FEATURES[feature](start)
            verdict, why = "ok", ""
        except (AssertionError, Failed, Broken) as error:
            verdict, why = "FAIL", str(error)
        for app in apps:
            app.end()
        table.put("spring", feature, verdict, time.monotonic() - began, why)
