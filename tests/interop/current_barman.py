# SPDX-License-Identifier: PostgreSQL
"""current_barman.py - Barman 3.17, imported once, asked as if it had been started anew each time.

    barman = Barman(source, directory)     a tree of its source; where answers may be written
    barman.freeze(seconds)                 what its clock shows from now on
    barman.ask(argv)          -> [exit status, stdout, stderr], in this process
    barman.ask_alone(argv)    -> the same, in a process of its own

A command costs a second when Barman is started for it, most of which is Python, and every
connection that PostgreSQL has to fork for. So ask() runs it in this process, and what a command
would leave behind is put back: the writer, the configuration, the log's handlers. Kept from one
command to the next are ordinary connections, the versions of PostgreSQL's programs, and what `file`
says of bytes. ask_alone() forks and keeps nothing; current_compare.py asks some homes that way.

A command that does not come to an end has the status -1: it said more than 16 MiB, or worked for a
minute.
"""
import datetime
import importlib
import io
import logging
import os
import resource
import signal
import sys
import time
import types

MOST = 1 << 24  # bytes that a command may say


class Endless(BaseException):
    """Not an Exception: Barman would catch it."""


def too_long(signum, frame):
    raise Endless()


class Said(io.TextIOWrapper):
    """stdout or stderr; no terminal."""

    class Bytes(io.BytesIO):
        def write(self, data):
            if self.tell() + len(data) > MOST:
                raise Endless()
            return super().write(data)

    def __init__(self):
        super().__init__(self.Bytes(), encoding="utf-8", write_through=True)

    def text(self):
        self.flush()
        return self.buffer.getvalue().decode()


class Hurry:
    """A clock that does not wait: check waits for WAL that never comes."""

    skipped = 0.0

    def time(self):
        return time.time() + self.skipped

    def sleep(self, seconds):
        self.skipped += seconds


class Frozen(datetime.datetime):
    seconds = None

    @classmethod
    def now(cls, tz=None):
        if cls.seconds is None:
            return datetime.datetime.now(tz)
        return datetime.datetime.fromtimestamp(cls.seconds, tz)


class Kept:
    """An ordinary connection: close() leaves it open for the next command."""

    def __init__(self, connection):
        self.__dict__.update(kept=connection, is_closed=False)

    def __getattr__(self, name):
        return getattr(self.kept, name)

    def __setattr__(self, name, value):
        setattr(self.kept, name, value)

    @property
    def closed(self):
        return self.is_closed or self.kept.closed

    def close(self):
        self.__dict__["is_closed"] = True


class Psycopg:
    """psycopg2, but for what its connections cost. Those of replication are seen by others while
    they are open, so they are not kept."""

    def __init__(self, real):
        self.real, self.open, self.keep = real, {}, False

    def __getattr__(self, name):
        return getattr(self.real, name)

    def connect(self, dsn):
        if not self.keep or "replication=" in dsn:
            return self.real.connect(dsn)
        if dsn not in self.open or self.open[dsn].closed:
            self.open[dsn] = self.real.connect(dsn)
        return Kept(self.open[dsn])


class Barman:
    def __init__(self, source, directory):
        self.dir = directory
        sys.path.insert(0, source)
        self.cli, self.output, self.server, self.postgres, policies, backup, self.wrappers, \
            encryption = [importlib.import_module("barman." + name) for name in (
                "cli", "output", "server", "postgres", "retention_policies", "backup",
                "command_wrappers", "encryption")]
        self.root = importlib.import_module("barman")
        calendar = types.SimpleNamespace(**vars(datetime))
        calendar.datetime = Frozen
        policies.datetime, backup.datetime, self.server.datetime = Frozen, calendar, calendar
        self.psycopg = self.postgres.psycopg2 = Psycopg(self.postgres.psycopg2)
        self.put = self.output._put
        self.versions, self.kinds = {}, {}
        self.find_version = self.wrappers.PostgreSQLClient.get_version_info.__func__
        self.find_kind = encryption.GPGEncryption.recognize_encryption
        self.gpg = encryption.GPGEncryption
        signal.signal(signal.SIGVTALRM, too_long)

    @staticmethod
    def freeze(seconds):
        Frozen.seconds = seconds

    def quick(self):
        """What is the same in every command is found out once, and the log is left alone."""
        versions, kinds, find_version, find_kind = (self.versions, self.kinds, self.find_version,
                                                    self.find_kind)

        def get_version_info(cls, path=None):
            if (cls, path) not in versions:
                versions[cls, path] = find_version(cls, path)
            return dict(versions[cls, path])

        def recognize_encryption(filename):
            with open(filename, "rb") as f:
                head = f.read(4096)
            if head not in kinds:
                kinds[head] = find_kind(filename)
            return kinds[head]

        def put(level, message, *args, **kwargs):
            kwargs["log"] = False
            self.put(level, message, *args, **kwargs)

        self.psycopg.keep = True
        self.wrappers.PostgreSQLClient.get_version_info = classmethod(get_version_info)
        self.gpg.recognize_encryption = staticmethod(recognize_encryption)
        self.output._put = put
        self.cli.configure_logging = lambda *args: logging.getLogger().addHandler(
            logging.NullHandler())

    def run(self, argv):
        """The exit status."""
        self.server.time = Hurry()
        sys.argv = ["barman"] + argv
        try:
            self.cli.main()
        except SystemExit as stop:
            if stop.code and not isinstance(stop.code, int):
                sys.stderr.write("%s\n" % stop.code)
                return 1
            return stop.code or 0
        return 99

    def ask(self, argv):
        self.quick()
        kept = sys.stdout, sys.stderr, sys.argv
        out, err = sys.stdout, sys.stderr = Said(), Said()
        status = -1
        signal.setitimer(signal.ITIMER_VIRTUAL, 60)
        try:
            status = self.run(argv)
        except Endless:
            pass
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            sys.stdout, sys.stderr, sys.argv = kept
            self.forget()
        return [status, out.text(), err.text()]

    def forget(self):
        for connection in list(self.postgres._live_connections):
            connection.close()
        self.output._writer = self.output.ConsoleOutputWriter()
        self.output.error_occurred, self.output.error_exit_code = False, 1
        self.output.ansi_colors_enabled = False
        self.root.__config__ = None
        logging.getLogger().handlers.clear()

    def ask_alone(self, argv):
        paths = [os.path.join(self.dir, "theirs." + name) for name in ("out", "err")]
        pid = os.fork()
        if pid == 0:
            status = 99
            try:
                for path, fd in zip(paths, (1, 2)):
                    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), fd)
                resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, MOST))
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
                signal.alarm(60)
                self.unkept()
                status = self.run(argv)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        answer = [max(status, -1)]
        for path in paths:
            with open(path, encoding="utf-8") as file:
                answer.append(file.read())
        return answer

    def unkept(self):
        """In the child: nothing of what ask() keeps."""
        self.psycopg.keep = False
        self.output._put = self.put
        self.wrappers.PostgreSQLClient.get_version_info = classmethod(self.find_version)
        self.gpg.recognize_encryption = staticmethod(self.find_kind)
        self.cli.configure_logging = importlib.import_module("barman.utils").configure_logging
