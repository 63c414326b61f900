#!/usr/bin/env bash
# The figures of docs/results.md: each task fine-tuned with three seeds from the model that comes along, and with the same
# three from random weights of the same size. The first argument is the folder of data sets (docs/results.md says which
# files), the others are tasks, all of them by default. Ctrl-C stops it and the same command goes on; what has ended is
# kept, so remove results-output when the model has changed. With THREADS=1 two of them can run side by side, one with
# STARTS=pretrained, one with STARTS=random: batches of short texts hardly gain by a second thread. That takes an hour and a
# half on two cores that multiply bfloat16 numbers: SQuAD 30 minutes, SST-2 26, the mails 17, the others some 3 each.
#
#     runs/results.sh path/to/data
#     MODEL=bert-base-uncased OUT=results-base STARTS=pretrained runs/results.sh path/to/data sst2 squad
#     npx tsx runs/report.ts path/to/data        # the table of docs/results.md, of what is there
set -euo pipefail
cd "$(dirname "$0")/.."
data=$1
shift
model=${MODEL:-models/cloze-mini-en}
out=${OUT:-results-output}
starts=${STARTS:-pretrained random}
threads=${THREADS:-2}

# One recipe for all tasks: BERT's 3 epochs and batches of 32 (Devlin et al. 2019, section 4). Only the rate goes by the
# model's size: below 12 layers 3e-4, the highest that compact models were fine-tuned with by Turc et al. 2019 (Well-Read
# Students Learn Better), from there on for SQuAD the paper's 5e-5, else 3e-5, one of those among which the paper chose by
# the dev file of each task. Nothing is tried on a dev file here but which epoch is best.
layers=$(node -p 'JSON.parse(fs.readFileSync(process.argv[1])).num_hidden_layers' "$model/config.json")
if [ "$layers" -ge 12 ]; then rate=3e-5; else rate=3e-4; fi
training=(--epochs "${EPOCHS:-3}" --batch-sizes "${BATCH_SIZE:-32}"
  --seeds "${SEEDS:-1,2,3}" --threads "$threads" --precision "${PRECISION:-auto}")
pretrained=(--model "$model")
random=(--model "$model/config.json" --vocab "$model")

# learn NAME TASK OPTIONS...: trains into $out/NAME/pretrained and $out/NAME/random.
learn() {
  local start
  for start in $starts; do
    local -n from=$start
    npx cloze sweep "$2" "${@:3}" "${from[@]}" "${training[@]}" \
      --learning-rates "${LEARNING_RATE:-$rate}" --output "$out/$1/$start"
  done
}

# judge NAME FILE OPTIONS...: measures each model, whose epoch the dev file chose, on a test file that chose nothing.
judge() {
  local start folder
  for start in $starts; do
    for folder in "$out/$1/$start"/*/; do
      [ -f "$folder/test.json" ] && continue
      npx cloze evaluate "$folder" --data "${@:2}" --threads "$threads" --json > "$folder/test.json.part"
      mv "$folder/test.json.part" "$folder/test.json"
    done
  done
}

cola() {
  learn cola text-classification --train "$data/cola/train.tsv" --dev "$data/cola/dev.tsv" --format glue:cola
}

stsb() {
  learn stsb regression --train "$data/stsb/sts-train.tsv" --dev "$data/stsb/sts-dev.tsv" --format glue:stsb
}

sick() {
  local columns=(--text-column sentence_A --pair-column sentence_B --label-column entailment_judgment)
  learn sick text-classification --train "$data/sick/SICK_train.txt" --dev "$data/sick/SICK_trial.txt" "${columns[@]}"
  judge sick "$data/sick/SICK_test_annotated.txt" "${columns[@]}"
}

wnut17() {
  learn wnut17 token-classification --train "$data/wnut17/wnut17train.conll" --dev "$data/wnut17/emerging.dev.conll"
  judge wnut17 "$data/wnut17/emerging.test.annotated"
}

wikigold() {
  local split=$out/wikigold-split
  learn wikigold token-classification --train "$split/train.conll" --dev "$split/dev.conll"
}

mails() {
  local split=$out/mails-split
  learn mails text-classification --train "$split/train.jsonl" --dev "$split/dev.jsonl" --max-length 256
  judge mails "$split/test.jsonl"
}

squad() {
  local rate=$([ "$layers" -ge 12 ] && echo 5e-5 || echo "$rate")
  learn squad question-answering --train "$data/squad/train-38-articles.json" --dev "$data/squad/dev-10-articles.json"
}

sst2() {
  learn sst2 text-classification --train "$data/sst2/train.tsv" --dev "$data/sst2/dev.tsv" --text-column sentence
}

if [ $# -eq 0 ]; then set -- wikigold cola wnut17 sick stsb squad sst2 mails; fi
npx tsx runs/splits.ts "$data" "$out"
for task in "$@"; do "$task"; done
