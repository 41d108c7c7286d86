"""`jobs` as a process: a platform that hangs holds up neither the others nor the end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from outside.city_platform import platform
from test_statistics_command import NOW, call

from store.contact import NewContact
from store.database import open_engine
from store.record import Recorder
from store.register import register
from store.secret import load_keys
from store.upgrade import upgrade

ROOT = Path(__file__).parents[3]
TARGET = '[{name}]\nurl = "{url}"\nkey = "siping"\nsecret_file = "key"\ntimeout_seconds = 60\n'


def _fill(folder: Path) -> None:
    engine, keys = open_engine(f"sqlite:///{folder / 'pingjia.db'}"), load_keys(folder / "secret.key")
    upgrade(engine)
    contact = register(engine, keys, NewContact(work_order="WO-1"), now=NOW, expires_at=NOW)
    recorder = Recorder(str(engine.url), "follow_up", keys, clock=lambda: NOW)
    recorder.record([call(contact.id, 1, "very_dissatisfied")])
    recorder.close()
    engine.dispose()
    (folder / "key").write_text("0123456789abcdef" * 2)
    (folder / "key").chmod(0o600)


def test_a_platform_that_hangs_delays_neither_another_nor_the_end(tmp_path: Path) -> None:
    _fill(tmp_path)
    with platform() as hanging, platform() as sound:
        hanging.ways = [hanging.hangs] * 9
        pair = {"hanging": hanging, "sound": sound}
        targets = "\n".join(TARGET.format(name=name, url=place.url) for name, place in pair.items())
        (tmp_path / "exports.toml").write_text(targets)
        environment = os.environ | {
            "PINGJIA_DATA_DIR": str(tmp_path),
            "PINGJIA_EXPORT_TARGETS": str(tmp_path / "exports.toml"),
            "PINGJIA_JOBS_SECONDS": "0.2",
        }
        jobs = subprocess.Popen([sys.executable, ROOT / "app.py", "jobs"], env=environment, cwd=tmp_path)
        try:
            _wait(lambda: bool(hanging.got and sound.held))
            jobs.send_signal(signal.SIGTERM)
            assert jobs.wait(30) == 0
        finally:
            jobs.kill()
            jobs.wait()
        assert [record["projectNo"] for record in sound.held.values()] == ["WO-1"]
        assert hanging.got[0].id != sound.got[0].id


def _wait(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)
