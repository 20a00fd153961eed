"""The life of the master and its workers: signals, deaths, shortages, the end."""
import ctypes
import errno
import os
import signal
import socket
import struct
import threading

import killed_apply
import pytest
from client import Client, Closed, get, status_of
from proxyd import Proxyd, eventually, free_port, site


def is_refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:   # it closed while the connection waited there
        pass
    return False


def is_gone(pid):
    return not os.path.exists(f"/proc/{pid}")


HEAD_OF_PREPARED = struct.pack("=IIQII", 0x70786431, 33, 0, 0, 0)   # of a message as shared/ipc/channel frames it


def channel_of(pid):
    """The worker's own end of what connects it with the master."""
    process = os.pidfd_open(pid)
    try:
        descriptor = ctypes.CDLL(None, use_errno=True).syscall(438, process, 3, 0)   # pidfd_getfd
    finally:
        os.close(process)
    if descriptor < 0 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS):
        pytest.skip("this machine lets nobody take a copy of another process's descriptor")
    assert descriptor >= 0, os.strerror(ctypes.get_errno())
    return socket.socket(fileno=descriptor)


def held(origin):
    """An origin that answers only when the event is set."""
    release = threading.Event()
    origin.answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", release, b"done"]
    return release


def request_in_progress(port):
    client = Client(port, timeout=30)
    client.send(get())
    assert client.head()[0] == 200
    return client


def test_hup_reads_value_files_again_and_keeps_every_worker(origin, tmp_path):
    port, secret = free_port(), tmp_path / "secret"
    secret.write_text("first\n")
    edits = {"headers": {"request": {"set": {"X-Key": {"file": str(secret)}}}}}
    with Proxyd(site(port, origin.address, **edits), workers=2) as proxyd:
        pids = proxyd.pids()
        assert status_of(port) == 200 and origin.requests[-1].values("X-Key") == ["first"]
        secret.write_text("second\n")
        proxyd.signal(signal.SIGHUP)
        eventually(lambda: status_of(port) == 200 and origin.requests[-1].values("X-Key") == ["second"])
        assert proxyd.pids() == pids and all(worker["state"] == "running" for worker in proxyd.workers())
        secret.unlink()
        wrong = proxyd.proxyctl("reload")
        assert wrong.returncode == 7 and str(secret) in wrong.stderr
        assert status_of(port) == 200 and origin.requests[-1].values("X-Key") == ["second"]
        assert "second" not in proxyd.logs()


def test_usr1_opens_the_logs_again_and_keeps_every_worker(origin, tmp_path):
    port, log = free_port(), tmp_path / "access.log"
    with Proxyd({**site(port, origin.address), "logging": {"access": [{"to": "file", "file": str(log)}]}}, workers=2) as proxyd:
        pids = proxyd.pids()
        assert status_of(port) == 200
        log.rename(tmp_path / "access.log.1")
        proxyd.signal(signal.SIGUSR1)
        eventually(log.exists)
        eventually(lambda: status_of(port) == 200 and log.read_text())
        assert proxyd.pids() == pids and (log.stat().st_mode & 0o777) == 0o640


def test_a_rotation_that_fails_is_done_as_soon_as_it_can_be(origin, tmp_path):
    port, folder = free_port(), tmp_path / "logs"
    folder.mkdir()
    with Proxyd({**site(port, origin.address), "logging": {"access": [{"to": "file", "file": str(folder / "access.log")}]}}) as proxyd:
        folder.rename(tmp_path / "old")
        proxyd.signal(signal.SIGUSR1)
        eventually(lambda: "epoch could not be published" in proxyd.logs())
        folder.mkdir()
        eventually((folder / "access.log").exists)


def test_files_that_went_meanwhile_do_not_keep_a_target_from_draining(origin, tmp_path):
    port, secret, logs = free_port(), tmp_path / "secret", tmp_path / "logs"
    secret.write_text("kept\n")
    logs.mkdir()
    document = site(port, origin.address, headers={"request": {"set": {"X-Key": {"file": str(secret)}}}})
    document["upstreams"]["app"]["targets"]["two"] = {"address": origin.address}
    with Proxyd({**document, "logging": {"access": [{"to": "file", "file": str(logs / "access.log")}]}}) as proxyd:
        secret.unlink()
        logs.rename(tmp_path / "old")
        drained = proxyd.proxyctl("upstream", "drain", "app", "two")
        assert drained.returncode == 0, drained.stderr
        assert status_of(port) == 200 and origin.requests[-1].values("X-Key") == ["kept"]
        assert (tmp_path / "old" / "access.log").exists() and not logs.exists()
        assert proxyd.proxyctl("reload").returncode == 7, "what is read again must be there"


def test_the_masters_own_lines_go_to_the_error_log_of_the_document(origin, tmp_path):
    port, log = free_port(), tmp_path / "error.log"
    document = {**site(port, origin.address), "logging": {"error": {"to": "file", "file": str(log)}}}
    with Proxyd(document) as proxyd:
        proxyd.apply({**document, "defaults": {"timeouts": {"connect": "9s"}}})
        assert "revision 2 is active" in log.read_text()
        log.rename(tmp_path / "error.log.1")
        proxyd.signal(signal.SIGUSR1)
        eventually(log.exists)
        eventually(lambda: proxyd.proxyctl("reload").returncode == 0 and "reloaded" in log.read_text())


def test_hup_and_usr1_without_a_configuration_do_no_harm():
    with Proxyd(None, ready=False) as proxyd:
        eventually(lambda: os.path.exists(proxyd.socket))
        proxyd.signal(signal.SIGHUP)
        proxyd.signal(signal.SIGUSR1)
        eventually(lambda: "reloaded" in proxyd.logs())
        assert proxyd.api("GET", "/livez", parse=False)[0] == 200


def test_term_finishes_what_runs_and_accepts_no_more(origin):
    port, release = free_port(), held(origin)
    with Proxyd(site(port, origin.address), workers=2) as proxyd:
        client = request_in_progress(port)
        proxyd.signal(signal.SIGTERM)
        eventually(lambda: is_refused(port))
        assert proxyd.process.poll() is None
        release.set()
        assert client.exactly(4) == b"done" and client.is_closed()
        assert proxyd.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_twice_ends_at_once(origin, number):
    port, release = free_port(), held(origin)
    with Proxyd(site(port, origin.address), environment={"PROXYD_SHUTDOWN_GRACE": "10m"}) as proxyd:
        client, pids = request_in_progress(port), proxyd.pids()
        proxyd.signal(number)
        eventually(lambda: "stopping" in proxyd.logs())
        proxyd.signal(number)
        assert proxyd.ended() == 0 and all(is_gone(pid) for pid in pids)
        with pytest.raises(Closed):
            client.exactly(4)
        release.set()


def test_quit_waits_for_requests_until_term_gives_a_deadline(origin):
    port, release = free_port(), held(origin)
    with Proxyd(site(port, origin.address), environment={"PROXYD_SHUTDOWN_GRACE": "1s"}) as proxyd:
        client = request_in_progress(port)
        proxyd.signal(signal.SIGQUIT)
        eventually(lambda: "may finish within 3600 s" in proxyd.logs())
        eventually(lambda: is_refused(port))
        proxyd.signal(signal.SIGTERM)
        eventually(lambda: "may finish within 1 s" in proxyd.logs())
        assert proxyd.ended() == 0
        with pytest.raises(Closed):
            client.exactly(4)
        release.set()


def test_the_shutdown_delay_says_not_ready_while_it_still_accepts(origin):
    port = free_port()
    with Proxyd(site(port, origin.address), environment={"PROXYD_SHUTDOWN_DELAY": "10m"}) as proxyd:
        proxyd.signal(signal.SIGTERM)
        assert eventually(lambda: proxyd.api("GET", "/readyz", parse=False) == (503, "draining\n"))
        assert status_of(port) == 200
        proxyd.signal(signal.SIGTERM)
        assert proxyd.ended() == 0


def test_workers_ignore_the_signals_of_a_terminal_while_their_master_lives(origin):
    port = free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        pid = proxyd.pids()[0]
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
            os.kill(pid, number)
        assert status_of(port) == 200 and proxyd.pids() == [pid]
        assert os.getsid(pid) == os.getsid(proxyd.process.pid) and os.getpgid(pid) == os.getpgid(proxyd.process.pid)


def test_a_worker_inherits_nothing_but_what_it_is_given(origin):
    with Proxyd(site(free_port(), origin.address)) as proxyd:
        files = [os.readlink(f"/proc/{proxyd.pids()[0]}/fd/{number}") for number in os.listdir(f"/proc/{proxyd.pids()[0]}/fd")]
        assert not [name for name in files if name.endswith((".db", ".db-wal", ".db-shm", ".lock", "admin.sock", "proxyd-worker"))]
        held_sockets = [name for name in files if name.startswith("socket:")]
        assert len(held_sockets) == 2   # its control channel and the listener
        assert os.readlink(f"/proc/{proxyd.pids()[0]}/exe").endswith("bin/proxyd-worker")


def wait_for_another(proxyd, slot, pid):
    def another():
        found = [worker for worker in proxyd.workers() if worker["slot"] == slot]
        return found and (found[0]["state"] == "resting" or (found[0]["state"] == "running" and found[0]["pid"] != pid)) and found[0]
    return eventually(another, 40, f"another worker in slot {slot}")


def kill_often(proxyd, slot, times):
    worker = next(worker for worker in proxyd.workers() if worker["slot"] == slot)
    for _ in range(times):
        os.kill(worker["pid"], signal.SIGKILL)
        worker = wait_for_another(proxyd, slot, worker["pid"])
    return worker


def test_a_slot_rests_after_more_than_five_deaths_but_the_last_one_never(origin):
    port = free_port()
    with Proxyd(site(port, origin.address), workers=2) as proxyd:
        assert kill_often(proxyd, 1, 6)["state"] == "resting"
        assert proxyd.api("GET", "/readyz", parse=False) == (200, "degraded: a worker slot rests after too many deaths\n")
        assert proxyd.api("GET", "/readyz?strict=true", parse=False)[0] == 503
        assert proxyd.attention()["worker-resting"]["severity"] == "error"
        assert status_of(port) == 200
        last = kill_often(proxyd, 0, 6)
        assert last["state"] == "running" and last["last_exit"] == "killed by signal 9 (Killed)" and last["restarts"] == 6
        assert status_of(port) == 200 and proxyd.metric("proxyd_process_restarts_total") == 12


def test_gauges_of_a_killed_worker_go_and_counters_stay(origin):
    port, release = free_port(), held(origin)
    with Proxyd(site(port, origin.address), workers=2) as proxyd:
        clients = [request_in_progress(port) for _ in range(8)]
        assert proxyd.metric("proxyd_downstream_connections") == 8
        target = lambda: proxyd.api("GET", "/api/v1/upstreams/app/targets/one")[1]
        assert target()["in_flight"] == 8 and target()["connections"] == 8
        before = proxyd.pids()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: len(proxyd.pids()) == 2 and not set(before) & set(proxyd.pids()) and all(w["state"] == "running" for w in proxyd.workers()))
        assert proxyd.metric("proxyd_downstream_connections") == 0
        assert target()["in_flight"] == 0 and target()["connections"] == 0
        assert proxyd.metric("proxyd_downstream_accepted_total") == 8
        for client in clients:
            assert client.is_closed()
        release.set()


@pytest.mark.parametrize("killed", [0, 1])
def test_a_connection_whose_woken_worker_dies_is_served_without_another(origin, killed):
    """Both are stopped when the connection comes, so one wake-up goes to one of them: in one of the two runs to the
    one that is killed. Nothing else ever connects."""
    port = free_port()
    with Proxyd(site(port, origin.address), workers=2) as proxyd:
        workers = sorted(proxyd.workers(), key=lambda worker: worker["slot"])
        dies, lives = workers[killed]["pid"], workers[1 - killed]["pid"]
        for pid in (dies, lives):
            os.kill(pid, signal.SIGSTOP)
        eventually(lambda: all(open(f"/proc/{pid}/stat").read().split(") ")[1][0] == "T" for pid in (dies, lives)))
        with Client(port) as client:
            client.send(get())
            os.kill(dies, signal.SIGKILL)
            os.kill(lives, signal.SIGCONT)
            assert client.response().status == 200


def test_a_restart_starts_another_before_the_old_one_leaves(origin):
    port, release = free_port(), held(origin)
    with Proxyd(site(port, origin.address)) as proxyd:
        old = proxyd.pids()[0]
        client = request_in_progress(port)
        assert proxyd.api("POST", "/api/v1/workers/0:restart")[0] == 202
        states = lambda: {worker["pid"]: worker["state"] for worker in proxyd.workers()}
        eventually(lambda: states().get(old) == "draining" and "running" in states().values())
        release.set()
        assert client.exactly(4) == b"done"
        eventually(lambda: old not in proxyd.pids())
        assert [worker["state"] for worker in proxyd.workers()] == ["running"]
        assert status_of(port) == 200 and proxyd.workers()[0]["restarts"] == 0


def test_a_worker_that_hangs_is_ended_and_replaced(origin):
    port = free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        old = proxyd.pids()[0]
        os.kill(old, signal.SIGSTOP)
        eventually(lambda: is_gone(old), 30, "the end of the worker that hangs")
        eventually(lambda: proxyd.workers()[0]["state"] == "running")
        assert status_of(port) == 200 and "turns no loop" in proxyd.logs()


@pytest.mark.parametrize("octets", [b"nonsense", HEAD_OF_PREPARED + b"{", HEAD_OF_PREPARED + b"[]", HEAD_OF_PREPARED + b'{"revision": "two"}'],
                         ids=["no message", "no JSON", "no object", "another type"])
def test_a_worker_that_says_what_no_worker_says_is_killed_and_replaced(origin, octets):
    port = free_port()
    with Proxyd(site(port, origin.address)) as proxyd:
        old = proxyd.pids()[0]
        with channel_of(old) as channel:
            channel.send(octets)
        eventually(lambda: is_gone(old), what="the end of the worker that went wrong")
        eventually(lambda: [worker["state"] for worker in proxyd.workers()] == ["running"])
        assert status_of(port) == 200 and f"(pid {old}) said what no worker says" in proxyd.logs()


def test_a_silent_worker_fails_no_change_keeps_no_list_waiting_and_is_replaced(origin):
    port, applied = free_port(), []
    changed = {**site(port, origin.address), "defaults": {"timeouts": {"connect": "9s"}}}
    with Proxyd(site(port, origin.address), workers=2) as proxyd:
        silent = proxyd.pids()[0]
        os.kill(silent, signal.SIGSTOP)
        change = threading.Thread(target=lambda: applied.append(proxyd.apply(changed)))
        change.start()
        lists = [proxyd.workers() for _ in iter(change.is_alive, False)]
        assert len(lists) > 10, "the workers are listed only when nothing is changed"
        assert applied[0]["revision"] == 2 and applied[0]["acknowledged"] == 1
        eventually(lambda: silent not in proxyd.pids() and [w["revision"] for w in proxyd.workers() if w["state"] == "running"] == [2, 2], 30)


def test_orphans_leave_the_listeners_at_once_and_finish_what_runs(origin):
    port, release = free_port(), held(origin)
    proxyd = Proxyd(site(port, origin.address), workers=2)
    pids, client = proxyd.pids(), request_in_progress(port)
    proxyd.kill()
    eventually(lambda: is_refused(port), 5)
    release.set()
    assert client.exactly(4) == b"done" and client.is_closed()
    eventually(lambda: all(is_gone(pid) for pid in pids))
    proxyd.stop()


def test_orphans_cut_after_ten_seconds_what_does_not_end(origin):
    port, release = free_port(), held(origin)
    proxyd = Proxyd(site(port, origin.address))
    pids, client = proxyd.pids(), request_in_progress(port)
    proxyd.kill()
    with pytest.raises(Closed):
        client.exactly(4)
    eventually(lambda: all(is_gone(pid) for pid in pids))
    release.set()
    proxyd.stop()


def test_an_address_in_use_is_waited_for_at_start(origin):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with Proxyd(site(port, origin.address), ready=False) as proxyd:
        eventually(lambda: f"127.0.0.1:{port} is in use: trying again" in proxyd.logs())
        taken.close()
        eventually(lambda: os.path.exists(proxyd.socket) and proxyd._ready(), 20)
        assert status_of(port) == 200


def test_an_address_that_stays_in_use_ends_the_start_with_its_name(origin):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Proxyd(site(port, origin.address), ready=False) as proxyd:
            assert proxyd.ended(30) == 1 and f"listening on 127.0.0.1:{port} failed: Address already in use" in proxyd.logs()


def test_a_start_that_waits_for_an_address_obeys_term(origin):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Proxyd(site(port, origin.address), ready=False) as proxyd:
            eventually(lambda: "is in use" in proxyd.logs())
            proxyd.signal(signal.SIGTERM)
            proxyd.ended()
            assert "stopped while it waited" in proxyd.logs()


def is_served(client):
    try:
        client.send(get())
        return client.response().status == 200
    except Closed:   # it was idle when room had to be made
        return False


def test_a_worker_short_of_descriptors_serves_on_and_takes_changes(origin):
    port = free_port()
    document = site(port, origin.address)
    with Proxyd(document, descriptors=600) as proxyd:   # half of them wake workers
        pid = proxyd.pids()[0]
        clients = [Client(port, timeout=30) for _ in range(450)]
        eventually(lambda: proxyd.metric("proxyd_accept_errors_total", reason="descriptors") > 0)
        assert is_served(clients[-1])
        applied = proxyd.apply({**document, "defaults": {"timeouts": {"connect": "9s"}}})
        assert applied["acknowledged"] == 1 and proxyd.pids() == [pid]
        for client in clients:
            client.socket.close()
        assert eventually(lambda: status_of(port) == 200) and proxyd.pids() == [pid]


@pytest.mark.parametrize("step", killed_apply.STEPS)
@pytest.mark.skipif(not killed_apply.has_steps(), reason="this build does not stop at steps")
def test_a_master_killed_at_a_step_of_a_change_leaves_one_revision_everywhere(step, tmp_path):
    run = killed_apply.KilledApply(tmp_path)
    run.kill(step)
    run.kill(None)
    run.stop()


def test_workers_that_start_in_the_middle_of_changes_serve_the_newest_revision(origin):
    port = free_port()
    document = site(port, origin.address)
    with Proxyd(document, workers=2) as proxyd:
        for number in range(1, 13):
            if number % 3 == 0:
                eventually(lambda: all(worker["state"] == "running" for worker in proxyd.workers()))
                os.kill(proxyd.pids()[-1], signal.SIGKILL)
            newest = proxyd.apply({**document, "defaults": {"timeouts": {"connect": f"{number}s"}}})["revision"]
        eventually(lambda: [(w["state"], w["revision"]) for w in proxyd.workers()] == [("running", newest)] * 2)
        assert proxyd.metric("proxyd_process_restarts_total") == 4 and status_of(port) == 200
