# The machine: what falsifies a benchmark on it, and how much of it others use meanwhile.
import fcntl
import os
import socket
import struct
import sys
import tempfile

TICK = os.sysconf("SC_CLK_TCK")
CONGESTION = "/proc/sys/net/ipv4/tcp_congestion_control"
INSIDE = "MOLDAU_BENCH_NETWORK"


def own_network():
    """Runs this script again in a network of its own, with reno: BBR halves the speed of a loopback, for everybody."""
    if INSIDE in os.environ:
        raise_loopback()
        return
    with open(CONGESTION) as f:
        if f.read().strip() in ("reno", "cubic"):
            return
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    if os.system(" ".join(unshare) + " true 2>/dev/null") == 0:
        os.environ[INSIDE] = "1"
        sys.stdout.flush()
        os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])
    print("note: no network of our own; TCP runs with this machine's congestion control", file=sys.stderr)


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        up_running = 0x41
        fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", up_running) + b"\0" * 14)
    with open(CONGESTION, "w") as f:
        f.write("reno")


def touch_memory(gib):
    """Page cache that the host has not given yet is several times dearer: use it once before anybody is measured."""
    chunk = os.urandom(1 << 20)
    with tempfile.TemporaryFile(dir=os.environ.get("TMPDIR", "/var/tmp")) as f:
        for _ in range(gib << 10):
            f.write(chunk)


def busy_seconds():
    """CPU seconds that all processors have worked since boot."""
    with open("/proc/stat") as f:
        fields = [int(x) for x in f.readline().split()[1:9]]
    user, nice, system, _, _, irq, soft, _ = fields
    return (user + nice + system + irq + soft) / TICK


def facts():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "?")
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) >> 20
    with open(CONGESTION) as f:
        congestion = f.read().strip()
    return {"processors": os.cpu_count(), "model": model, "memory_gib": memory, "kernel": os.uname().release.split("-")[0],
            "tcp": congestion, "load": os.getloadavg()[0]}
