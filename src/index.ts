/** The library: everything that programs import from "cloze". */
export { ClozeError, ERROR_CODES, type ErrorCode } from "./base/errors.ts";
export { bert, bertInputs, pooler } from "./bert/bert.ts";
export { type BertConfig, PRESETS, type Preset, parseBertConfig, presetConfig, withoutDropout } from "./bert/config.ts";
export { compileOnnx } from "./executors/onnx/compile.ts";
export { type OnnxOptions, onnxExecutor } from "./executors/onnx/node.node.ts";
export type { Device } from "./executors/onnx/session.ts";
export { referenceExecutor } from "./executors/reference/executor.ts";
export * as build from "./graph/build.ts";
export { differentiate, parameterGradients } from "./graph/differentiate.ts";
export { type Executable, type Executor, type RunOptions, type Value, vector } from "./graph/executor.ts";
export { type Graph, makeGraph } from "./graph/graph.ts";
export { initialise, Parameters } from "./graph/parameters.ts";
export { printGraph } from "./graph/print.ts";
export { type PretrainingOutputs, pretraining } from "./heads/pretraining.ts";
export { sequenceClassification } from "./heads/sequence-classification.ts";
export {
  type FinetuneEvent,
  type FinetuneOptions,
  type FinetuneResult,
  finetune,
} from "./tasks/finetune.node.ts";
export { type LabelledTexts, readLabelledTexts } from "./tasks/labelled-texts.node.ts";
export { openModelFolder, storedWeights } from "./tasks/model-folder.node.ts";
export {
  type ClassificationInput,
  type LabelScore,
  type PipelineTask,
  pipeline,
  type TextClassificationPipeline,
} from "./tasks/pipeline.node.ts";
export type { Control } from "./tasks/text-classification.ts";
export { TextClassifier } from "./tasks/text-classifier.node.ts";
export type { Encoding } from "./tokenizer/encoding.ts";
export { loadTokenizer, saveTokenizer } from "./tokenizer/folder.node.ts";
export { BertTokenizer, type EncodeOptions, type WindowOptions } from "./tokenizer/tokenizer.ts";
export {
  type TrainedVocabulary,
  type TrainVocabularyOptions,
  trainVocabulary,
} from "./tokenizer/train-vocabulary.ts";
