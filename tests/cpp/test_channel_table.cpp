// The process's channels, with no Python: who is handed what, and who is told what when others go.
#include <xinterp/modules/channel_table.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <thread>

namespace {

using namespace xinterp::modules;

constexpr InterpreterId alice = 1, bob = 2;
const auto forever = Waiter::Clock::time_point::max();

// A channel that alice holds.
struct Fixture {
    ChannelTable table;
    ChannelId id = table.create();
    Fixture() { table.hold(id, alice); }
};

} // namespace

TEST_SUITE("channels") {
    TEST_CASE_FIXTURE(Fixture, "objects go to those who wait, in their order") {
        Waiter first, second, sender;
        CHECK(table.receive(id, bob, first, true) == Outcome::waiting);
        CHECK(table.receive(id, bob, second, true) == Outcome::waiting);
        CHECK(table.waiting(id) == std::pair{std::size_t{2}, std::size_t{0}});
        CHECK(table.send(id, alice, sender, true) == Outcome::done);
        CHECK(first.outcome() == Outcome::done);
        CHECK_FALSE(second.over());
        CHECK(table.withdraw(id, second));
        CHECK_FALSE(table.withdraw(id, first));
    }

    TEST_CASE_FIXTURE(Fixture, "senders wait in their order, and who comes back is first again") {
        Waiter first, second, receiver;
        CHECK(table.send(id, alice, first, true) == Outcome::waiting);
        CHECK(table.send(id, alice, second, true) == Outcome::waiting);
        CHECK(table.withdraw(id, first));
        CHECK(table.send(id, alice, first, true, true) == Outcome::waiting);
        CHECK(table.receive(id, bob, receiver, true) == Outcome::done);
        CHECK(first.outcome() == Outcome::done);
        CHECK_FALSE(second.over());
        CHECK(table.receive(id, bob, receiver, false) == Outcome::done);
        CHECK(table.receive(id, bob, receiver, false) == Outcome::nobody);
    }

    TEST_CASE_FIXTURE(Fixture, "without a queue nothing is left") {
        Waiter sender, receiver;
        CHECK(table.send(id, alice, sender, false) == Outcome::nobody);
        CHECK(table.receive(id, bob, receiver, false) == Outcome::nobody);
        CHECK(table.waiting(id) == std::pair{std::size_t{0}, std::size_t{0}});
    }

    TEST_CASE_FIXTURE(Fixture, "closing tells who waits") {
        Waiter sender, receiver;
        CHECK(table.send(id, alice, sender, true) == Outcome::waiting);
        CHECK(table.close(id, false) == Outcome::not_empty);
        CHECK(table.close(id, true) == Outcome::done);
        CHECK(sender.outcome() == Outcome::not_received);
        const ChannelId other = table.create();
        CHECK(table.receive(other, alice, receiver, true) == Outcome::waiting);
        CHECK(table.close(other, false) == Outcome::done);
        CHECK(receiver.outcome() == Outcome::unknown);
        CHECK(table.close(other, true) == Outcome::unknown);
        CHECK(table.has_been(other));
        CHECK_FALSE(table.has_been(other + 1));
        CHECK_FALSE(table.has_been(0));
    }

    TEST_CASE_FIXTURE(Fixture, "the last user of an end takes it along") {
        Waiter sender, receiver, late;
        CHECK(table.receive(id, bob, receiver, false) == Outcome::nobody);
        CHECK(table.send(id, alice, sender, true) == Outcome::waiting);
        table.forget(bob);
        CHECK(sender.outcome() == Outcome::not_received);
        CHECK(table.send(id, alice, late, true) == Outcome::not_received);
        CHECK(table.release(id, alice, End::send) == Outcome::done);
        CHECK(table.receive(id, bob, late, true) == Outcome::senders_gone);
        CHECK(table.send(id, alice, late, false) == Outcome::released);
    }

    TEST_CASE_FIXTURE(Fixture, "the threads of an interpreter that ends wait no longer") {
        Waiter receiver, other;
        CHECK(table.receive(id, bob, receiver, true) == Outcome::waiting);
        CHECK(table.receive(id, alice, other, true) == Outcome::waiting);
        table.forget(bob);
        CHECK(receiver.outcome() == Outcome::released);
        CHECK_FALSE(other.over());
        table.forget(alice); // the last that holds it
        CHECK(other.outcome() == Outcome::released);
        CHECK(table.list().empty());
    }

    TEST_CASE_FIXTURE(Fixture, "a channel lasts as long as somebody holds it") {
        CHECK(table.hold(id, ChannelTable::in_transit));
        table.let_go(id, alice);
        CHECK(table.list() == std::vector{id});
        table.let_go(id, ChannelTable::in_transit);
        CHECK(table.list().empty());
        CHECK_FALSE(table.hold(id, bob));
        table.let_go(id, bob);
    }

    TEST_CASE_FIXTURE(Fixture, "a wait ends when another thread ends it, at its time, and by a signal") {
        Waiter receiver;
        CHECK(table.receive(id, bob, receiver, true) == Outcome::waiting);
        CHECK_FALSE(receiver.wait(Waiter::Clock::now()));
        struct sigaction action{};
        action.sa_handler = [](int) {};
        sigaction(SIGUSR2, &action, nullptr);
        std::atomic<bool> woken = false;
        const pthread_t here = pthread_self();
        std::thread signals{[&] { // one that comes before the wait is lost
            while (!woken) pthread_kill(here, SIGUSR2);
        }};
        CHECK_FALSE(receiver.wait(forever));
        woken = true;
        signals.join();
        std::thread sender{[&] {
            Waiter waiter;
            CHECK(table.send(id, alice, waiter, true) == Outcome::done);
        }};
        while (!receiver.wait(forever)) {
        } // signals that were late
        CHECK_FALSE(table.withdraw(id, receiver));
        sender.join();
    }

    TEST_CASE_FIXTURE(Fixture, "many threads exchange as many as they send") {
        constexpr int each = 2000;
        std::atomic<int> received = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < each; ++n) {
                    Waiter waiter;
                    if (table.send(id, alice, waiter, true) == Outcome::waiting) waiter.wait(forever);
                    table.withdraw(id, waiter);
                }
            });
            threads.emplace_back([&] {
                for (int n = 0; n < each; ++n) {
                    Waiter waiter;
                    if (table.receive(id, bob, waiter, true) == Outcome::waiting) waiter.wait(forever);
                    table.withdraw(id, waiter);
                    ++received;
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        CHECK(received == 4 * each);
        CHECK(table.waiting(id) == std::pair{std::size_t{0}, std::size_t{0}});
    }
}
