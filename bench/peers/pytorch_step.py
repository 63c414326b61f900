"""The peer of the training claims: steps of BERT in PyTorch, on the CPU. Prints one line of JSON.

    /usr/bin/python3 bench/peers/pytorch_step.py --steps 5                       # BERT-base, batch 16, length 128
    /usr/bin/python3 bench/peers/pytorch_step.py --layers 4 --hidden 256 --heads 4 --dtype bfloat16
    /usr/bin/python3 bench/peers/pytorch_step.py --head span --batches batches.json  # fine-tuning, a step for each batch
    /usr/bin/python3 bench/peers/pytorch_step.py --products products.json --dtype bfloat16   # matrix products alone

A step is forward, backward, clipping and AdamW: masked LM on 15% of the real tokens plus next sentence, dropout 0.1 at
each of BERT's places. The model is what Hugging Face's `BertModel` computes with eager attention on a padded batch; the
masked-LM head sees the masked positions only, as in Google's code. One step of warm-up is not counted.

`--fill` is the share of real tokens, spread over sequence lengths up to `--length`; padding is computed, as PyTorch's
users do. With `--batches` it is one step for each batch of a JSON file, a list of lists of sequence lengths, each padded to its
longest; `seconds` is then the sum of all steps. With `--products` it is each product of a JSON file, a list of objects with
rows, inner, columns and count, in the three forms of a linear layer: x W^T, dy W, dy^T x. `gflop_per_step` counts the matrix products of the padded batch, two operations for each multiply-add, the
backward pass as two forward passes. Where `cpu_seconds` is far under `threads * seconds`, other work had the machine.

Debian's OpenBLAS falls back to SSE3 on processors newer than itself and is then six times slower, which would flatter
Cloze. So the kernels are chosen here, unless OPENBLAS_CORETYPE says which; `blas_kernels` in the output names them.
"""

import argparse
import ctypes
import json
import math
import os
import resource
import statistics
import time


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--hidden", type=int, default=768, help="the feed-forward layer is four times as large")
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--vocab", type=int, default=30522)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--fill", type=float, default=1.0, help="share of real tokens, over 0 and up to 1")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32", help="bfloat16 is autocast")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--head", choices=["pretraining", "labels", "span"], default="pretraining")
    parser.add_argument("--batches", help="JSON file of the lengths of each batch's sequences, to fine-tune on")
    parser.add_argument("--products", help="JSON file of matrix products: time these alone")
    arguments = parser.parse_args()
    if not 0 < arguments.fill <= 1:
        parser.error("--fill must be over 0 and up to 1")
    if (arguments.head == "pretraining") != (arguments.batches is None):
        parser.error("--batches goes with --head labels or span")
    if arguments.hidden % arguments.heads:
        parser.error("--hidden must divide by --heads")
    return arguments


def choose_blas(threads):
    """Takes effect only before PyTorch is imported."""
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(threads)
    with open("/proc/cpuinfo") as file:
        flags = set(next((line for line in file if line.startswith("flags")), "").split())
    if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags:
        os.environ.setdefault("OPENBLAS_CORETYPE", "SKYLAKEX")
    elif {"avx2", "fma"} <= flags:
        os.environ.setdefault("OPENBLAS_CORETYPE", "HASWELL")


ARGUMENTS = parse_arguments()
choose_blas(ARGUMENTS.threads)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

DROPOUT = 0.1
EPSILON = 1e-12


# --- the model --------------------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden, EPSILON)

    def forward(self, x, bias):
        B, S, D = x.shape

        def split_heads(t):
            return t.view(B, S, self.heads, D // self.heads).transpose(1, 2)  # [B, N, S, H]

        query, key, value = split_heads(self.query(x)), split_heads(self.key(x)), split_heads(self.value(x))
        scores = query @ key.transpose(2, 3) / math.sqrt(D // self.heads) + bias  # [B, N, S, S]
        weights = F.dropout(torch.softmax(scores, dim=-1), DROPOUT)
        context = (weights @ value).transpose(1, 2).reshape(B, S, D)  # [B, S, D]
        return self.norm(F.dropout(self.output(context), DROPOUT) + x)


class Layer(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.attention = Attention(hidden, heads)
        self.inner = nn.Linear(hidden, 4 * hidden)
        self.output = nn.Linear(4 * hidden, hidden)
        self.norm = nn.LayerNorm(hidden, EPSILON)

    def forward(self, x, bias):
        x = self.attention(x, bias)
        return self.norm(F.dropout(self.output(F.gelu(self.inner(x))), DROPOUT) + x)


class Bert(nn.Module):
    def __init__(self, layers, hidden, heads, vocab, positions=512):
        super().__init__()
        self.words = nn.Embedding(vocab, hidden, padding_idx=0)
        self.positions = nn.Embedding(positions, hidden)
        self.segments = nn.Embedding(2, hidden)
        self.norm = nn.LayerNorm(hidden, EPSILON)
        self.layers = nn.ModuleList(Layer(hidden, heads) for _ in range(layers))

    def encode(self, batch):
        S = batch["ids"].shape[1]
        x = self.words(batch["ids"]) + self.segments(batch["segments"]) + self.positions.weight[:S]  # [B, S, D]
        x = F.dropout(self.norm(x), DROPOUT)
        bias = (1 - batch["attention_mask"][:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min  # [B, 1, 1, S]
        for layer in self.layers:
            x = layer(x, bias)
        return x

    def initialise(self):
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)


class BertForPreTraining(Bert):
    def __init__(self, layers, hidden, heads, vocab, positions=512):
        super().__init__(layers, hidden, heads, vocab, positions)
        self.pooler = nn.Linear(hidden, hidden)
        self.transform = nn.Linear(hidden, hidden)
        self.transform_norm = nn.LayerNorm(hidden, EPSILON)
        self.decoder_bias = nn.Parameter(torch.zeros(vocab))
        self.next_sentence = nn.Linear(hidden, 2)
        self.initialise()

    def forward(self, batch):
        """The sum of both losses, a scalar."""
        x = self.encode(batch)
        masked = x.flatten(0, 1)[batch["masked_positions"]]  # [M, D]
        masked = self.transform_norm(F.gelu(self.transform(masked)).float())  # mixed types are an error in 1.13
        masked_logits = F.linear(masked, self.words.weight, self.decoder_bias)  # [M, V]
        pooled = torch.tanh(self.pooler(x[:, 0]))  # [B, D]
        next_sentence_logits = self.next_sentence(pooled)  # [B, 2]
        masked_loss = F.cross_entropy(masked_logits.float(), batch["masked_labels"])
        return masked_loss + F.cross_entropy(next_sentence_logits.float(), batch["next_sentence"])


class BertForLabels(Bert):
    """One of two labels for each sequence."""

    def __init__(self, *size):
        super().__init__(*size)
        hidden = self.words.embedding_dim
        self.pooler = nn.Linear(hidden, hidden)
        self.classifier = nn.Linear(hidden, 2)
        self.initialise()

    def forward(self, batch):
        pooled = torch.tanh(self.pooler(self.encode(batch)[:, 0]))  # [B, D]
        logits = self.classifier(F.dropout(pooled, DROPOUT))  # [B, 2]
        return F.cross_entropy(logits, batch["labels"])


class BertForSpans(Bert):
    """The first and the last token of an answer."""

    def __init__(self, *size):
        super().__init__(*size)
        self.classifier = nn.Linear(self.words.embedding_dim, 2)
        self.initialise()

    def forward(self, batch):
        logits = self.classifier(self.encode(batch))  # [B, S, 2]
        starts, ends = logits.unbind(-1)  # [B, S] each
        return (F.cross_entropy(starts, batch["starts"]) + F.cross_entropy(ends, batch["ends"])) / 2


# --- the measurement --------------------------------------------------------------------------------


def make_batch(batch, length, fill, vocab):
    """Random tokens. The longest sequence has `length`; the mean length is close to `fill * length`."""
    spread = ((torch.arange(batch) + 0.5) / batch) ** (1 / fill - 1)  # the mean of u^k over [0, 1] is 1 / (k + 1)
    lengths = (spread * length).round().clamp(min=min(4, length)).long()  # [B]
    lengths[-1] = length
    positions = [
        row * length + torch.randperm(real)[: max(1, round(0.15 * real))] for row, real in enumerate(lengths.tolist())
    ]
    masked_positions = torch.cat(positions)  # [M], into the batch * length tokens
    return {
        **make_inputs(lengths, vocab),
        "masked_positions": masked_positions,
        "masked_labels": torch.randint(1, vocab, masked_positions.shape),
        "next_sentence": torch.randint(0, 2, (batch,)),
    }


def make_inputs(lengths, vocab):
    S = int(lengths.max())
    mask = torch.arange(S) < lengths[:, None]  # [B, S]
    return {
        "ids": torch.randint(1, vocab, mask.shape) * mask,
        "segments": (torch.arange(S) >= lengths[:, None] // 2).long() * mask,
        "attention_mask": mask,
    }


def make_labelled_batch(lengths, vocab):
    lengths = torch.tensor(lengths)
    return {
        **make_inputs(lengths, vocab),
        "labels": torch.randint(0, 2, lengths.shape),
        "starts": (lengths - 1) // 2,
        "ends": lengths - 1,
    }


def make_optimizer(model):
    """AdamW, without decay for biases and LayerNorm, as Google's code has it."""
    matrices = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    vectors = [parameter for parameter in model.parameters() if parameter.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-4, eps=1e-6)


def run_step(model, optimizer, batch, dtype):
    """Seconds of the step, of its parts and of all threads' work."""
    cpu_start = time.process_time()
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bfloat16"):
        loss = model(batch)
    forward = time.perf_counter()
    loss.backward()
    backward = time.perf_counter()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    end = time.perf_counter()
    if not math.isfinite(loss.item()):
        raise SystemExit(f"the loss is {loss.item()}")
    return {
        "seconds": end - start,
        "forward": forward - start,
        "backward": backward - forward,
        "update": end - backward,
        "cpu_seconds": time.process_time() - cpu_start,
    }


def count_gflop(a, masked):
    tokens = a.batch * a.length
    layer = 2 * tokens * 12 * a.hidden**2 + 4 * a.batch * a.length**2 * a.hidden
    heads = 2 * masked * (a.hidden**2 + a.hidden * a.vocab) + 2 * a.batch * (a.hidden**2 + 2 * a.hidden)
    return 3 * (a.layers * layer + heads) / 1e9


def measure_steps(a):
    torch.manual_seed(1)
    model = BertForPreTraining(a.layers, a.hidden, a.heads, a.vocab, max(512, a.length)).train()
    optimizer = make_optimizer(model)
    batch = make_batch(a.batch, a.length, a.fill, a.vocab)
    run_step(model, optimizer, batch, a.dtype)
    steps = [run_step(model, optimizer, batch, a.dtype) for _ in range(a.steps)]
    medians = {name: round(statistics.median(step[name] for step in steps), 4) for name in steps[0]}
    return {
        **medians,
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 3),
        "gflop_per_step": round(count_gflop(a, len(batch["masked_positions"])), 1),
        "real_tokens": int(batch["attention_mask"].sum()),
        "padded_tokens": a.batch * a.length,
        "masked_positions": len(batch["masked_positions"]),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "dtype": a.dtype,
        "steps": a.steps,
    }


def measure_batches(a):
    torch.manual_seed(1)
    with open(a.batches) as file:
        batches = [make_labelled_batch(lengths, a.vocab) for lengths in json.load(file)]
    model = {"labels": BertForLabels, "span": BertForSpans}[a.head](a.layers, a.hidden, a.heads, a.vocab).train()
    optimizer = make_optimizer(model)
    run_step(model, optimizer, batches[0], a.dtype)
    steps = [run_step(model, optimizer, batch, a.dtype) for batch in batches]
    return {
        **{name: round(sum(step[name] for step in steps), 4) for name in steps[0]},
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 3),
        "real_tokens": sum(int(batch["attention_mask"].sum()) for batch in batches),
        "padded_tokens": sum(batch["ids"].numel() for batch in batches),
        "dtype": a.dtype,
        "steps": len(batches),
    }


def measure_products(a, rounds=4):
    """The fastest of some rounds of each product and form, as Cloze measures its own."""
    with open(a.products) as file:
        products = json.load(file)
    dtype = getattr(torch, a.dtype)
    flop = seconds = 0
    for product in products:
        R, I, C = product["rows"], product["inner"], product["columns"]
        x, dy, weight = torch.randn(R, I).to(dtype), torch.randn(R, C).to(dtype), torch.randn(C, I).to(dtype)
        for left, right in [(x, weight.t()), (dy, weight), (dy.t(), x)]:
            times = []
            for _ in range(rounds):
                start = time.perf_counter()
                torch.mm(left, right)
                times.append(time.perf_counter() - start)
            seconds += product["count"] * min(times)
            flop += product["count"] * 2 * R * I * C
    return {"gflops": round(flop / seconds / 1e9, 1), "dtype": a.dtype}


def name_blas_kernels():
    """The kernels that OpenBLAS runs, or null with another BLAS."""
    try:
        name = ctypes.CDLL("libopenblas.so.0", mode=os.RTLD_NOLOAD).openblas_get_corename
    except (OSError, AttributeError):
        return None
    name.restype = ctypes.c_char_p
    return name().decode()


if __name__ == "__main__":
    torch.set_num_threads(ARGUMENTS.threads)
    measure = measure_steps if ARGUMENTS.batches is None else measure_batches
    result = measure_products(ARGUMENTS) if ARGUMENTS.products else measure(ARGUMENTS)
    result.update(threads=ARGUMENTS.threads, torch=torch.__version__, blas_kernels=name_blas_kernels())
    print(json.dumps(result))
