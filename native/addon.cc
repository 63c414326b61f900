// The door between JavaScript and the kernels: pools, memory, and programs that run off the event loop.
#include <fcntl.h>
#include <napi.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

#include "layout.h"
#include "program.h"
#include "rounding.h"

namespace cloze {
namespace {

/** Pool(threads): threads that several executables share. */
class PoolObject : public Napi::ObjectWrap<PoolObject> {
 public:
  static Napi::Function define(Napi::Env env) { return DefineClass(env, "Pool", std::vector<PropertyDescriptor>()); }

  explicit PoolObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<PoolObject>(info), pool(std::make_shared<Pool>(info[0].As<Napi::Number>().Int32Value())) {}

  const std::shared_ptr<Pool> pool;
};

/** The memory behind an array of ArrayBuffers. Throws for one whose memory was given away, and for what is none. */
Memories memoriesOf(Napi::Array buffers) {
  Memories memories;
  for (uint32_t i = 0; i < buffers.Length(); i++) {
    const Napi::Value value = buffers.Get(i);
    if (!value.IsArrayBuffer()) throw Napi::TypeError::New(buffers.Env(), "a buffer of the run is no ArrayBuffer");
    Napi::ArrayBuffer buffer = value.As<Napi::ArrayBuffer>();
    if (buffer.IsDetached()) throw Napi::TypeError::New(buffers.Env(), "a buffer of the run was transferred");
    memories.push_back(static_cast<std::byte*>(buffer.Data()));
  }
  return memories;
}

/**
 * One run of a program, on a thread of libuv and those of the pool. Node waits for these threads before it frees the
 * memory of an environment that ends, as it would not for one of our own.
 */
class Run : public Napi::AsyncWorker {
 public:
  /** `seconds` may be undefined. */
  Run(Napi::Env env, const InstructionSet& set, std::shared_ptr<Pool> pool, Napi::Float64Array program,
      Napi::Array buffers, Napi::Value seconds)
      : Napi::AsyncWorker(env),
        set_(set),
        pool_(std::move(pool)),
        program_{program.Data(), program.ElementLength(), memoriesOf(buffers), nullptr},
        kept_(Napi::Persistent(Napi::Object::New(env))),
        deferred_(Napi::Promise::Deferred::New(env)) {
    kept_.Set("program", program);
    kept_.Set("buffers", buffers);
    kept_.Set("seconds", seconds);
    if (!seconds.IsUndefined()) program_.seconds = seconds.As<Napi::Float64Array>().Data();
  }

  Napi::Promise promise() const { return deferred_.Promise(); }

  /** A function that ends the run before its next call of a kernel, and may be called at any time. */
  Napi::Function cancel() {
    return Napi::Function::New(Env(), [cancelled = cancelled_](const Napi::CallbackInfo&) { *cancelled = true; });
  }

 private:
  void Execute() override {
    std::lock_guard<std::mutex> guard(pool_->lock());
    run(set_, program_, *pool_, *cancelled_);
  }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  const InstructionSet& set_;
  const std::shared_ptr<Pool> pool_;
  Program program_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  /** What must outlive the run. */
  Napi::ObjectReference kept_;
  /** Made last: one that is never settled would never be freed. */
  Napi::Promise::Deferred deferred_;
};

/** firstCacheLine(buffer): how many bytes of an ArrayBuffer lie before the first cache line that begins in it. */
Napi::Value firstCacheLine(const Napi::CallbackInfo& info) {
  const auto address = reinterpret_cast<uintptr_t>(info[0].As<Napi::ArrayBuffer>().Data());
  return Napi::Number::New(info.Env(), (CACHE_LINE - address % CACHE_LINE) % CACHE_LINE);
}

/** The bytes of a file in memory; none as long as it was not mapped. */
struct Mapping {
  size_t bytes = 0;
  void* memory = MAP_FAILED;

  ~Mapping() {
    if (memory != MAP_FAILED) munmap(memory, bytes);
  }
};

/**
 * mapFile(path): the bytes of a file as an ArrayBuffer, which begins on a cache line; the system reads them as they are
 * touched, and shares them among processes. What is written there stays in this process's memory. Throws what the
 * system says. Files longer than Node's buffers are the caller's to refuse: Node 20 frees such memory and then throws,
 * whereupon it would be freed again.
 */
Napi::Value mapFile(const Napi::CallbackInfo& info) {
  const int file = open(info[0].As<Napi::String>().Utf8Value().c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  const bool found = file >= 0 && fstat(file, &status) == 0;
  auto mapping = std::make_unique<Mapping>();
  mapping->bytes = static_cast<size_t>(status.st_size);
  if (found) mapping->memory = mmap(nullptr, mapping->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  const int error = errno;
  if (file >= 0) close(file);
  if (mapping->memory == MAP_FAILED) throw Napi::Error::New(info.Env(), std::strerror(error));
  const auto buffer = Napi::ArrayBuffer::New(
      info.Env(), mapping->memory, mapping->bytes, [](Napi::Env, void*, Mapping* mapping) { delete mapping; },
      mapping.get());
  mapping.release();  // the buffer's from now on
  return buffer;
}

/**
 * run(set, pool, program, buffers, seconds): { ended, cancel }, a promise of the program's end and a function that
 * brings it about. Seconds of each call if it is not undefined.
 */
Napi::Value run(const Napi::CallbackInfo& info) {
  const InstructionSet& set = *instructionSets()[info[0].As<Napi::Number>().Uint32Value()];
  PoolObject* pool = PoolObject::Unwrap(info[1].As<Napi::Object>());
  auto run = std::make_unique<Run>(info.Env(), set, pool->pool, info[2].As<Napi::Float64Array>(),
                                   info[3].As<Napi::Array>(), info[4]);
  const Napi::Object begun = Napi::Object::New(info.Env());
  begun.Set("ended", run->promise());
  begun.Set("cancel", run->cancel());
  run->Queue();
  run.release();  // its own from now on: Napi deletes it behind its end
  return begun;
}

Napi::Object layout(Napi::Env env) {
  const Napi::Object group = Napi::Object::New(env);
  group.Set("float32", 1);
  group.Set("bfloat16", BFLOAT16_GROUP);
  group.Set("int8", INT8_GROUP);
  const Napi::Object layout = Napi::Object::New(env);
  layout.Set("cacheLine", CACHE_LINE);
  layout.Set("chunk", CHUNK);
  layout.Set("rowBlock", ROW_BLOCK);
  layout.Set("normaliserFloats", NORMALISER_FLOATS);
  layout.Set("rowSumsFloats", ROW_SUMS_FLOATS);
  layout.Set("group", group);
  layout.Set("quantizedRows", QUANTIZED_ROWS);
  layout.Set("quantizedCode", QUANTIZED_CODE);
  return layout;
}

Napi::Object define(Napi::Env env, Napi::Object exports) {
  const Napi::Array sets = Napi::Array::New(env);
  for (const InstructionSet* set : instructionSets()) {
    const Napi::Object row = Napi::Object::New(env);
    row.Set("name", set->name);
    row.Set("bfloat16", set->bfloat16);
    row.Set("int8", multipliesInt8(*set));
    row.Set("panelColumns", set->panelColumns);
    sets.Set(sets.Length(), row);
  }
  const Napi::Array kernels = Napi::Array::New(env);
  const InstructionSet& set = *instructionSets()[0];  // the best one; others may lack the last of them
  for (size_t i = 0; i < set.kernelCount; i++) kernels.Set(kernels.Length(), set.kernels[i].name);
  exports.Set("instructionSets", sets);
  exports.Set("kernels", kernels);
  exports.Set("layout", layout(env));
  exports.Set("Pool", PoolObject::define(env));
  exports.Set("firstCacheLine", Napi::Function::New<firstCacheLine>(env, "firstCacheLine"));
  exports.Set("mapFile", Napi::Function::New<mapFile>(env, "mapFile"));
  exports.Set("run", Napi::Function::New<run>(env, "run"));
  return exports;
}

NODE_API_MODULE(cloze, define)

}  // namespace
}  // namespace cloze
