/** The library: everything that programs import from "cloze". */
export { ClozeError, ERROR_CODES, type ErrorCode } from "./base/errors.ts";
export { bert, bertInputs, pooler } from "./bert/bert.ts";
export { type BertConfig, PRESETS, type Preset, parseBertConfig, presetConfig, withoutDropout } from "./bert/config.ts";
export type { Manifest, Part } from "./corpus/manifest.ts";
export { type PrepareOptions, type PrepareProgress, prepareCorpus } from "./corpus/prepare.node.ts";
export { compileOnnx } from "./executors/onnx/compile.ts";
export { type OnnxOptions, onnxExecutor } from "./executors/onnx/node.node.ts";
export type { Device } from "./executors/onnx/session.ts";
export { referenceExecutor } from "./executors/reference/executor.ts";
export { type NpyArray, parseNpy } from "./formats/npy.ts";
export * as build from "./graph/build.ts";
export { differentiate, parameterGradients } from "./graph/differentiate.ts";
export { type Executable, type Executor, type RunOptions, type Value, vector } from "./graph/executor.ts";
export { type Graph, makeGraph } from "./graph/graph.ts";
export { initialise, Parameters } from "./graph/parameters.ts";
export { printGraph } from "./graph/print.ts";
export { type PretrainingOutputs, pretraining } from "./heads/pretraining.ts";
export { sequenceClassification } from "./heads/sequence-classification.ts";
export type {
  ClassificationInput,
  LabelScore,
  TextClassificationPipeline,
} from "./tasks/classification-pipeline.node.ts";
export type { Control } from "./tasks/control.ts";
export type { AggregationStrategy, EntityGroup, TokenEntity } from "./tasks/entity-aggregation.ts";
export { type EvaluatePretrainingOptions, evaluatePretraining } from "./tasks/evaluate-pretraining.node.ts";
export { FeatureExtractor, type FeatureOptions } from "./tasks/feature-extractor.node.ts";
export type { FeatureExtractionPipeline, FeatureInput } from "./tasks/feature-pipeline.node.ts";
export type { FeatureTensor, PooledFeatures, TokenFeatures } from "./tasks/features.ts";
export { type FillMaskOptions, type FillMaskPipeline, fillMasks, type MaskFill } from "./tasks/fill-mask.ts";
export type {
  FinetuneEvent,
  FinetuneOptions,
  FinetuneResult,
} from "./tasks/finetune.node.ts";
export { readLabelledTexts } from "./tasks/labelled-texts.node.ts";
export type { LayerChoice } from "./tasks/layer-choice.ts";
export { openMaskedLanguageModel } from "./tasks/masked-language-model.node.ts";
export { type MaskedInput, MaskedLanguageModel } from "./tasks/masked-language-model.ts";
export { openModelFolder, storedWeights } from "./tasks/model-folder.node.ts";
export type { Choices } from "./tasks/multiple-choice.ts";
export type { ChoiceScores, MultipleChoicePipeline } from "./tasks/multiple-choice-pipeline.ts";
export { openNextSentenceModel } from "./tasks/next-sentence.node.ts";
export {
  NextSentenceModel,
  type NextSentencePipeline,
  type NextSentenceScore,
  type SentencePair,
} from "./tasks/next-sentence.ts";
export { type NextWord, type NextWordOptions, type NextWordPipeline, nextWords } from "./tasks/next-word.ts";
export { type PipelineTask, pipeline } from "./tasks/pipeline.node.ts";
export type { Pooling } from "./tasks/pooling.ts";
export { type PretrainEvent, type PretrainOptions, type PretrainResult, pretrain } from "./tasks/pretrain.node.ts";
export {
  type PseudoLogLikelihood,
  type PseudoLogLikelihoodPipeline,
  pseudoLogLikelihoods,
} from "./tasks/pseudo-log-likelihood.ts";
export type { Question } from "./tasks/question-answering.ts";
export type { QuestionAnswer, QuestionAnsweringPipeline, QuestionOptions } from "./tasks/question-pipeline.ts";
export type { RerankedText, RerankInput, RerankOptions, RerankPipeline } from "./tasks/rerank.ts";
export { SHIPPED_MODEL } from "./tasks/shipped-model.node.ts";
export type { SentenceSimilarityPipeline } from "./tasks/similarity-pipeline.ts";
export type { SweepOptions, SweepRow } from "./tasks/sweep.node.ts";
export type { Example, Examples } from "./tasks/task.ts";
export type { Answers, TaskPipeline } from "./tasks/task-pipeline.ts";
export { finetune, sweep, type TaskName, type TaskOptions } from "./tasks/task-table.node.ts";
export type { TextInput } from "./tasks/text-or-pair.ts";
export type { TokenClassificationPipeline, TokenInput, TokenOptions } from "./tasks/token-pipeline.ts";
export type { ZeroShotClassificationPipeline, ZeroShotOptions, ZeroShotResult } from "./tasks/zero-shot.ts";
export type { Encoding } from "./tokenizer/encoding.ts";
export { loadTokenizer, saveTokenizer } from "./tokenizer/folder.node.ts";
export { BertTokenizer, type EncodeOptions, type WindowOptions } from "./tokenizer/tokenizer.ts";
export {
  type TrainedVocabulary,
  type TrainVocabularyOptions,
  trainVocabulary,
} from "./tokenizer/train-vocabulary.ts";
export type { Evaluation } from "./train/trainable.ts";
