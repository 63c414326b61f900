#!/usr/bin/env bash
# What models/cloze-mini-en was made with: vocabulary, corpus and pre-training, from the folder of corpora that is the first
# argument (wikipedia-en-2015/part-*.jsonl.gz, of which part 15 is only evaluated on, and gutenberg/*.jsonl.gz). It writes
# into the second, pretrain-output by default, and goes on where it was stopped; the model is in its folder last.
#
#     runs/pretrain-mini.sh path/to/corpora
set -euo pipefail
cd "$(dirname "$0")/.."
corpora=$1
out=${2:-pretrain-output}
wikipedia=$corpora/wikipedia-en-2015
training=("$wikipedia"/part-0?.jsonl.gz "$wikipedia"/part-1[0-4].jsonl.gz)
mkdir -p "$out"

# 88 million words, 16,384 tokens: half a minute on two cores.
[ -f "$out/vocab/vocab.txt" ] || npx cloze vocab "${training[@]}" "$corpora/gutenberg" --size 16384 --output "$out/vocab"

# 100 million tokens in 25 shards: a quarter of a minute on two cores.
manifest=manifest-0001-of-0001.json
[ -f "$out/wikipedia/$manifest" ] ||
  npx cloze prepare "${training[@]}" --vocab "$out/vocab" --output "$out/wikipedia" --overwrite
[ -f "$out/gutenberg/$manifest" ] ||
  npx cloze prepare "$corpora/gutenberg" --lines wrapped --vocab "$out/vocab" --output "$out/gutenberg" --overwrite

held_out=$wikipedia/part-15.jsonl.gz
pretrain() {
  npx cloze pretrain --data "$out/wikipedia" "$out/gutenberg" --vocab "$out/vocab" --dropout 0 --batch-tokens 4096 \
    --mask-rate 0.2 --held-out "$held_out" --checkpoint-every 250 --keep 2 --weights float16 --resume "$@"
}

# Sequences of 32 tokens first: there words learn from their neighbours, see the table in docs/shipped-model.md.
pretrain --model runs/cloze-mini-en.json --output "$out/first" --max-length 32 --then 128:25% --pairs none \
  --learning-rate 1e-3 --steps 2000

# Then pairs of longer text. An hour and a half on two cores that multiply bfloat16 numbers; Ctrl-C stops it, the same command
# goes on. (The model that comes along was begun with --device onnx --steps 14000, and went on from update 4,300 with the
# native kernels and --steps 20000 --force.)
pretrain --model "$out/first" --output "$out/model" --max-length 128 --pairs next-sentence \
  --learning-rate 5e-4 --warmup-steps 300 --steps 20000

# And on from there, with other masks and pairs and the rate from its height again: two hours beside other work. (The model
# that comes along was begun with --steps 25000, cut down on the way; its updates 15,200 to 16,038 had sequences of 512
# tokens, which was given up.)
pretrain --model "$out/model" --output "$out/more" --max-length 128 --pairs next-sentence \
  --learning-rate 5e-4 --warmup-steps 300 --seed 43 --steps 19000

# Once more, and longest: three hours, some of them beside other work.
pretrain --model "$out/more" --output "$out/last" --max-length 128 --pairs next-sentence \
  --learning-rate 5e-4 --warmup-steps 300 --seed 44 --steps 44000
