"""The cell that the soak runs in main: threads that do random things to interpreters and keep account of them.

What each operation has done is known, unless an interrupt has come while it ran: then it may have been done or not, and
both are accounted for. `soak(seed, seconds)` returns a dict with what was done, or raises what was wrong.
"""

import _interpreters
import collections
import concurrent.interpreters as interpreters
import random
import threading
import time
from concurrent.interpreters._queues import UNBOUND

import interpreters as channel_module
import xinterp

THREADS, INTERPRETERS = 8, 6
# What plain CPython does to an interpreter that is destroyed while a thread enters it is not ours to test.
GUARDED = _interpreters.__spec__.origin != "built-in"
SPIN = "import time\nend = time.monotonic() + 0.02\nwhile time.monotonic() < end: pass"


class Wrong(Exception):
    """Something was lost, done twice, or out of order."""


class Tenant:
    """An interpreter of the pool, and what its counter must be."""

    def __init__(self, interpreter, made_by_kernel):
        self.interpreter = interpreter
        self.id = interpreter.id
        self.made_by_kernel = made_by_kernel
        self.lock = threading.Lock() if GUARDED else None
        self.accounts = threading.Lock()
        self.counted = self.uncertain = 0

    def close(self):
        if self.made_by_kernel:
            xinterp.close(self.id)
        else:
            self.interpreter.close()


def alive():
    """The ids of all interpreters. Their objects are dropped at once, also those of what another thread is just making."""
    if GUARDED:  # CPython destroys that with them
        return {id for id, _whence in _interpreters.list_all()}
    return {interpreter.id for interpreter in interpreters.list_all()}


class Worker(threading.Thread):
    """One thread of the soak. Its queue is read by itself alone and written by everyone."""

    def __init__(self, soak, number):
        super().__init__(name=f"worker {number}")
        self.soak, self.number = soak, number
        self.random = random.Random(f"{soak.seed}/{number}")
        self.queue = interpreters.create_queue()
        self.sent = collections.defaultdict(set)  # receiver -> numbers that were put
        self.unsure = collections.defaultdict(set)  # ... that may have been
        self.receiving_end, self.sending_end = channel_module.create_channel()  # read by itself alone as well
        self.handed = collections.defaultdict(set)  # receiver -> numbers that it has received through its channel
        self.unsure_handed = collections.defaultdict(set)
        self.got = []
        self.next_number = 0
        self.received = []
        self.receiving = False
        self.interrupted_receives = 0
        self.doing = None  # (receiver, number) being put
        self.done = collections.Counter()
        self.error = None

    def run(self):
        try:
            while time.monotonic() < self.soak.end and self.soak.error is None:
                try:
                    self.settle()
                    name = self.random.choice(OPERATIONS)
                    getattr(self, name)()
                    self.done[name] += 1
                except KeyboardInterrupt:
                    self.done["interrupted"] += 1
            self.settle()
        except BaseException as error:
            self.soak.error = self.soak.error or error

    def settle(self):
        """After an interrupt."""
        if self.doing is not None:
            self.unsure[self.doing[0]].add(self.doing[1])
            self.doing = None
        if self.receiving:
            self.interrupted_receives += 1
            self.receiving = False

    def enter(self, tenant, code):
        """Run code there: True, False if it was refused, None if it was interrupted."""
        try:
            tenant.interpreter.exec(code)
        except interpreters.ExecutionFailed as error:
            if error.excinfo.type.__name__ != "KeyboardInterrupt":
                raise
            return None
        except interpreters.InterpreterNotFoundError:
            return False  # closed meanwhile
        except interpreters.InterpreterError as error:
            if "running" not in str(error):
                raise
            return False
        return True

    def with_tenant(self, action):
        """Call it with an interpreter of the pool, if there is one to be had."""
        tenant = self.soak.pick(self.random)
        if tenant is None:
            return
        if tenant.lock is None:
            action(tenant)
        elif tenant.lock.acquire(blocking=False):
            try:
                action(tenant)
            finally:
                tenant.lock.release()

    # The operations.

    def create(self):
        if len(self.soak.tenants) >= INTERPRETERS:
            return
        made_by_kernel = self.random.random() < 0.5
        made = interpreters.Interpreter(xinterp.create(n=1)[0]) if made_by_kernel else interpreters.create()
        made.exec("total = 0")
        with self.soak.lock:
            self.soak.tenants.append(Tenant(made, made_by_kernel))

    def close(self):
        def close(tenant):
            with self.soak.lock:
                if tenant not in self.soak.tenants:
                    return
            with tenant.accounts:  # nobody begins to count meanwhile
                bounds = f"{tenant.counted} <= total <= {tenant.counted + tenant.uncertain}"
                if self.enter(tenant, f"assert {bounds}, total") is None:
                    return
            try:
                tenant.close()
            except interpreters.InterpreterError, xinterp.CommandError:
                return  # it runs, or another has closed it
            with self.soak.lock:
                if tenant in self.soak.tenants:
                    self.soak.tenants.remove(tenant)
            if tenant.id in alive():
                raise Wrong(f"interpreter {tenant.id} was closed and is still listed")

        if self.random.random() < 0.3:
            self.with_tenant(close)

    def count(self):
        def count(tenant):
            with tenant.accounts:
                tenant.uncertain += 1
            done = self.enter(tenant, "total += 1")
            with tenant.accounts:
                tenant.counted += done is True
                tenant.uncertain -= done is not None

        self.with_tenant(count)

    def spin(self):
        self.with_tenant(lambda tenant: self.enter(tenant, SPIN))

    def interrupt(self):
        tenant = self.soak.pick(self.random)
        if tenant is not None and self.random.random() < 0.3:
            try:
                xinterp.interrupt(tenant.id)
            except xinterp.CommandError:
                pass  # closed meanwhile, or not one of the kernel's

    def send(self):
        receiver = self.random.choice(self.soak.workers)
        number, self.next_number = self.next_number, self.next_number + 1
        self.doing = receiver.number, number
        receiver.queue.put((self.number, number))
        self.sent[receiver.number].add(number)
        self.doing = None

    def send_from_there(self):
        def send(tenant):
            receiver = self.random.choice(self.soak.workers)
            number, self.next_number = self.next_number, self.next_number + 1
            self.doing = receiver.number, number
            # Without an object of the queue: CPython's gives back in its end what an interrupted beginning has not taken.
            put = f"import _interpqueues\n_interpqueues.put({receiver.queue.id}, ({self.number}, {number}), 3)"
            done = self.enter(tenant, put)
            if done is True:
                self.sent[receiver.number].add(number)
            elif done is None:
                self.unsure[receiver.number].add(number)
            self.doing = None

        self.with_tenant(send)

    def hand_over(self):
        """To somebody who waits for it: it has been received, or is taken back."""
        receiver, number = self.random.choice(self.soak.workers), self.next_number
        self.next_number += 1
        try:
            receiver.sending_end.send((self.number, number), timeout=0.02)
        except TimeoutError:
            return
        self.handed[receiver.number].add(number)

    def hand_over_from_there(self):
        def hand_over(tenant):
            receiver, number = self.random.choice(self.soak.workers), self.next_number
            self.next_number += 1
            code = (
                f"from interpreters import SendChannel\ntry:\n"
                f"    SendChannel({receiver.sending_end.id}).send(({self.number}, {number}), timeout=0.02)\n"
                "    handed = True\nexcept TimeoutError:\n    handed = False"
            )
            self.unsure_handed[receiver.number].add(number)
            self.enter(tenant, code)

        self.with_tenant(hand_over)

    def take(self):
        try:
            self.got.append(self.receiving_end.recv(timeout=0.02))
        except TimeoutError, channel_module.ChannelEmptyError:
            pass

    def receive(self):
        self.receiving = True
        try:
            self.received.append(self.queue.get_nowait())
        except interpreters.QueueEmpty:
            pass
        self.receiving = False


OPERATIONS = ["create", "close", "count", "count", "spin", "interrupt", "send", "send_from_there", "receive", "receive"]
OPERATIONS += ["hand_over", "hand_over_from_there", "take", "take"]


class Soak:
    def __init__(self, seed, seconds):
        self.seed, self.end = seed, time.monotonic() + seconds
        self.lock = threading.Lock()
        self.tenants = []
        self.error = None
        self.workers = []
        self.workers += [Worker(self, number) for number in range(THREADS)]

    def pick(self, random):
        with self.lock:
            return random.choice(self.tenants) if self.tenants else None

    def run(self):
        before = alive()
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            worker.join()
        if self.error is not None:
            raise self.error
        for worker in self.workers:
            self.check_received(worker)
            self.check_got(worker)
        for tenant in self.tenants:
            tenant.interpreter.exec(f"assert {tenant.counted} <= total <= {tenant.counted + tenant.uncertain}, total")
            tenant.close()
        if left := alive() - before:
            raise Wrong(f"interpreters are left: {left}")
        return dict(sum((worker.done for worker in self.workers), collections.Counter()))

    def check_got(self, receiver):
        for sender in self.workers:
            numbers = [number for source, number in receiver.got if source == sender.number]
            handed, unsure = sender.handed[receiver.number], sender.unsure_handed[receiver.number]
            if numbers != sorted(set(numbers)) or not handed <= {*numbers} <= handed | unsure:
                raise Wrong(f"{sender.name} handed {sorted(handed)} over to {receiver.name}, who got {numbers}")

    def check_received(self, receiver):
        while True:
            try:
                receiver.received.append(receiver.queue.get_nowait())
            except interpreters.QueueEmpty:
                break
        # What an interpreter had put is replaced when it is closed, one for one.
        unbound = receiver.received.count(UNBOUND)
        received = [item for item in receiver.received if item is not UNBOUND]
        missing = uncertain = 0
        for sender in self.workers:
            numbers = [number for source, number in received if source == sender.number]
            if numbers != sorted(set(numbers)):
                raise Wrong(f"{sender.name} to {receiver.name}: twice, or out of order")
            sent, unsure = sender.sent[receiver.number], sender.unsure[receiver.number]
            if not {*numbers} <= sent | unsure:
                raise Wrong(f"{sender.name} to {receiver.name}: { ({*numbers} - sent - unsure) } were never sent")
            missing += len(sent - unsure - {*numbers})
            uncertain += len(unsure - {*numbers})
        if not unbound - uncertain <= missing <= unbound + receiver.interrupted_receives:
            lost = f"{missing} are missing, {unbound} of them unbound"
            raise Wrong(f"{receiver.name}: {lost}; {receiver.interrupted_receives} receives were interrupted")


def soak(seed, seconds):
    return Soak(seed, seconds).run()
