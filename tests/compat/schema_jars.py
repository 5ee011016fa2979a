"""The jars with Apache Kafka's message schemas and message classes, of each release line that we know."""
import os
import shutil
import subprocess
import sys

import kafka
import rawclient

HERE = os.path.dirname(os.path.abspath(__file__))
RELEASES = {"3.9": "3.9.2", "4.3": "4.3.1", "4.4": "4.4.0"}  # line -> the release that stands for it


def folder(line):
    """The folder of a line's jars, fetched by Maven the first time."""
    libs = os.path.join(os.path.dirname(rawclient.CACHE), f"kafka-schemas-{line}")
    complete = os.path.join(libs, f".complete-{RELEASES[line]}")
    if not os.path.exists(complete):
        kafka.need("mvn", "maven")
        print(f"fetching the schemas of Apache Kafka {RELEASES[line]} into {libs} (once)", file=sys.stderr, flush=True)
        shutil.rmtree(libs, ignore_errors=True)
        profile = [] if line == "3.9" else ["-P", "share"]
        done = subprocess.run(["mvn", "-q", "-B", "-f", os.path.join(HERE, "schema-jars.xml"), *profile, f"-Dkafka.version={RELEASES[line]}",
                               "dependency:copy-dependencies", "-DexcludeTransitive=true", f"-DoutputDirectory={libs}"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise kafka.Missing(f"Maven could not fetch the schemas of Apache Kafka {RELEASES[line]}:\n{done.stdout.decode()[-3000:]}")
        open(complete, "w").close()
    return libs


def check():
    """Runs src/wire/check_schema.py against all releases; its exit status."""
    root = os.path.dirname(os.path.dirname(HERE))
    against = [word for line in RELEASES for word in ("--kafka", f"{line}={folder(line)}")]
    return subprocess.run([sys.executable, "-B", os.path.join(root, "src", "wire", "check_schema.py"), *against]).returncode
