#include "pool.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <new>
#include <utility>

#include "layout.h"
#include "rounding.h"

namespace cloze {
namespace {

/** How long a thread without work looks for more before it sleeps: longer than one thread's part of most kernels. */
constexpr auto PATIENCE = std::chrono::microseconds(100);

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr uint32_t NO_TASK = UINT32_MAX;

uint64_t ticketOf(uint32_t generation, uint32_t task) { return uint64_t{generation} << 32 | task; }

uint32_t generationOf(uint64_t ticket) { return static_cast<uint32_t>(ticket >> 32); }

}  // namespace

void Scratch::Free::operator()(void* memory) const { std::free(memory); }

void* Scratch::take(size_t bytes) {
  const size_t size = roundUp(bytes, CACHE_LINE);
  if (blocks_.empty() || used_ + size > blocks_.back().bytes) {
    const size_t wanted = std::exchange(wanted_, 0);  // asked for once: where there is no such room, what is needed
    if (!(wanted > size && addBlock(wanted)) && !addBlock(size)) throw std::bad_alloc();
  }
  used_ += size;
  return static_cast<std::byte*>(blocks_.back().memory.get()) + used_ - size;
}

bool Scratch::addBlock(size_t bytes) {
  std::unique_ptr<void, Free> memory(std::aligned_alloc(CACHE_LINE, bytes));
  if (!memory) return false;
  blocks_.push_back({std::move(memory), bytes});
  used_ = 0;
  return true;
}

void Scratch::clear() noexcept {
  if (blocks_.size() > 1) {
    for (const Block& block : blocks_) wanted_ += block.bytes;
    blocks_.clear();
  }
  used_ = 0;
}

Pool::Pool(int threads) : scratches_(threads) {
  try {
    for (int worker = 1; worker < threads; worker++) workers_.emplace_back([this, worker] { serve(worker); });
  } catch (...) {
    end();  // of those that could be started
    throw;
  }
}

Pool::~Pool() { end(); }

void Pool::end() {
  {
    std::lock_guard<std::mutex> guard(sleepLock_);
    ended_ = true;
  }
  awake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Pool::dispatch(long tasks, Task task, void* context) {
  if (tasks <= 1 || workers_.empty()) {
    for (long i = 0; i < tasks; i++) {
      scratches_[0].clear();
      task(context, i, scratches_[0]);
    }
    return;
  }
  const uint32_t last = generationOf(ticket_);
  // Closed first: a thread that is late for the last work must not take a task of it by the number of the new one's.
  ticket_ = ticketOf(last, NO_TASK);
  task_ = task;
  context_ = context;
  tasks_ = static_cast<uint32_t>(tasks);
  done_ = 0;
  ticket_ = ticketOf(last + 1, 0);
  if (sleeping_ > 0) {
    std::lock_guard<std::mutex> guard(sleepLock_);
    awake_.notify_all();
  }
  workOn(last + 1, scratches_[0]);
  const auto patience = std::chrono::steady_clock::now() + PATIENCE;
  while (done_ < static_cast<uint32_t>(tasks)) {
    if (std::chrono::steady_clock::now() < patience) {
      pause();
    } else {
      std::this_thread::yield();  // to the threads that hold the last tasks, if there are not enough processors
    }
  }
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Pool::workOn(uint32_t generation, Scratch& scratch) {
  uint64_t ticket = ticket_;
  const Task task = task_;
  void* const context = context_;
  const uint32_t tasks = tasks_;
  while (generationOf(ticket) == generation && static_cast<uint32_t>(ticket) < tasks) {
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1)) continue;
    try {
      scratch.clear();
      task(context, static_cast<uint32_t>(ticket), scratch);
    } catch (...) {
      std::lock_guard<std::mutex> guard(failureLock_);
      if (!failure_) failure_ = std::current_exception();
    }
    done_++;
    ticket = ticket_;
  }
}

void Pool::serve(int worker) {
  for (uint32_t generation = 0; waitFor(generation);) workOn(generation, scratches_[worker]);
}

/** Waits for work of another generation than the one given, which then becomes it; false when the pool ends. */
bool Pool::waitFor(uint32_t& generation) {
  const auto changed = [&] {
    const uint32_t current = generationOf(ticket_);
    if (current == generation) return ended_ == true;
    generation = current;
    return true;
  };
  const auto end = std::chrono::steady_clock::now() + PATIENCE;
  do {
    for (int i = 0; i < 64; i++) {
      if (changed()) return !ended_;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  std::unique_lock<std::mutex> guard(sleepLock_);
  sleeping_++;
  awake_.wait(guard, changed);
  sleeping_--;
  return !ended_;
}

}  // namespace cloze
