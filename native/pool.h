// Threads that share the work of one kernel after another.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace cloze {

/** Memory of one thread, given out in arrays that live until its task ends. */
class Scratch {
 public:
  /** Room for `count` elements, aligned to a cache line; its contents are undefined. Throws std::bad_alloc. */
  template <class T>
  T* array(size_t count) {
    return static_cast<T*>(take(count * sizeof(T)));
  }
  /** Takes all arrays back. */
  void clear() noexcept;

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  struct Block {
    std::unique_ptr<void, Free> memory;
    size_t bytes;
  };
  void* take(size_t bytes);
  /** Whether there was memory for it. */
  bool addBlock(size_t bytes);

  // Arrays are cut from the last block. A task that needs more than there is adds blocks; after it there is none, and
  // the next one begins with a block of the size of all.
  std::vector<Block> blocks_;
  size_t used_ = 0;
  size_t wanted_ = 0;
};

/**
 * A number of threads, the caller's being the first. Between two calls of a run the others wait actively, for there the
 * next work comes within microseconds; after that they sleep.
 *
 * One caller at a time: whoever runs a program holds the pool's lock.
 */
class Pool {
 public:
  /** Throws std::system_error where there are no more threads to have. */
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /** Held by whoever dispatches. */
  std::mutex& lock() { return lock_; }

  /**
   * Calls work(task, scratch) for each task of 0 to tasks - 1, in any order and on any thread, and returns when all are
   * done. Rethrows the first exception of a task.
   */
  template <class Work>
  void parallel(long tasks, Work&& work) {
    dispatch(
        tasks, [](void* context, long task, Scratch& scratch) { (*static_cast<Work*>(context))(task, scratch); },
        &work);
  }

 private:
  using Task = void (*)(void* context, long task, Scratch& scratch);

  void dispatch(long tasks, Task task, void* context);
  void serve(int worker);
  void end();
  void workOn(uint32_t generation, Scratch& scratch);
  bool waitFor(uint32_t& generation);

  std::mutex lock_;
  std::vector<std::thread> workers_;
  std::vector<Scratch> scratches_;

  // The work at hand. `ticket_` holds its generation and the next task that nobody has taken; a thread that comes too
  // late finds another generation there, or no task left, and takes nothing.
  std::atomic<uint64_t> ticket_{0};
  std::atomic<Task> task_{nullptr};
  std::atomic<void*> context_{nullptr};
  std::atomic<uint32_t> tasks_{0};
  std::atomic<uint32_t> done_{0};
  std::exception_ptr failure_;
  std::mutex failureLock_;

  std::mutex sleepLock_;
  std::condition_variable awake_;
  std::atomic<int> sleeping_{0};
  std::atomic<bool> ended_{false};
};

}  // namespace cloze
