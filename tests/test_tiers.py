"""The tiers of the tests: what lacks the marker `network` reaches no other machine."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from neural_style.vgg.cache import cache_folder


def connect_ex():
    with socket.socket() as end:
        end.connect_ex(("192.0.2.1", 80))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
        lambda: socket.getaddrinfo("example.org", 443),
        connect_ex,
    ],
)
def test_another_machine_is_out_of_reach(ask):
    with pytest.raises(pytest.fail.Exception, match="without the marker `network` asked for"):
        ask()


def test_this_machine_is_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with socket.socket() as other:
            assert other.connect_ex(free.getsockname()) != 0


def test_processes_have_no_index_and_no_proxy():
    assert os.environ["PIP_NO_INDEX"] == "1" and os.environ["https_proxy"].endswith(":9")
    script = "import urllib.request; urllib.request.urlopen('https://example.org', timeout=5)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode and "URLError" in done.stderr


def test_keras_cache_holds_no_weights():
    assert cache_folder() != Path("~/.keras/models").expanduser()
    assert not [*cache_folder().glob("*.h5")]
