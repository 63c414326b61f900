/** The library: everything that programs import from "cloze". */
export { ClozeError, ERROR_CODES, type ErrorCode } from "./base/errors.ts";
export { bert, bertInputs, pooler } from "./bert/bert.ts";
export { type BertConfig, PRESETS, type Preset, parseBertConfig, presetConfig, withoutDropout } from "./bert/config.ts";
export type { Manifest, Part } from "./corpus/manifest.ts";
export { type PrepareOptions, type PrepareProgress, prepareCorpus } from "./corpus/prepare.node.ts";
export {
  convertTags,
  type DetectedScheme,
  detectScheme,
  type PlaceOf,
  TAG_SCHEMES,
  type TagScheme,
} from "./data/tag-schemes.ts";
export { type Device, type ExecutorOptions, openExecutor, type Precision } from "./executors/executor.node.ts";
export { type NativeOptions, nativeExecutor } from "./executors/native/executor.node.ts";
export { compileOnnx } from "./executors/onnx/compile.ts";
export { type OnnxOptions, onnxExecutor } from "./executors/onnx/node.node.ts";
export { referenceExecutor } from "./executors/reference/executor.ts";
export { type ConllOptions, readConll } from "./formats/conll.node.ts";
export { type ConllSentence, formatConll } from "./formats/conll.ts";
export { type NpyArray, parseNpy } from "./formats/npy.ts";
export * as build from "./graph/build.ts";
export { differentiate, parameterGradients } from "./graph/differentiate.ts";
export {
  type Executable,
  type Executor,
  type RunOptions,
  type TimedCall,
  type Value,
  vector,
} from "./graph/executor.ts";
export { type Graph, makeGraph } from "./graph/graph.ts";
export { initialise, Parameters } from "./graph/parameters.ts";
export { printGraph } from "./graph/print.ts";
export { type MaskedLmOutputs, maskedLm } from "./heads/masked-lm.ts";
export { multipleChoice } from "./heads/multiple-choice.ts";
export { type NextSentenceOutputs, nextSentence } from "./heads/next-sentence.ts";
export { type PretrainingOutputs, pretraining } from "./heads/pretraining.ts";
export { questionAnswering } from "./heads/question-answering.ts";
export { sequenceClassification } from "./heads/sequence-classification.ts";
export { tokenClassification } from "./heads/token-classification.ts";
export type { AggregationStrategy, EntityGroup, TokenEntity } from "./tasks/definitions/entity-aggregation.ts";
export type { ChoiceScores, Choices } from "./tasks/definitions/multiple-choice.ts";
export type { Question } from "./tasks/definitions/question-answering.ts";
export type { Example, Examples } from "./tasks/definitions/task.ts";
export { type ExportNativeOptions, exportNative, type NativeExport } from "./tasks/export-native.node.ts";
export type { FinetuneResult } from "./tasks/finetuning/finetune.node.ts";
export type { FileReport, FinetuneEvent, FinetuneOptions } from "./tasks/finetuning/finetune-options.node.ts";
export type { SweepEvent, SweepOptions, SweepRow, SweepRun } from "./tasks/finetuning/sweep.node.ts";
export { openModelFolder, storedWeights } from "./tasks/folder/model-folder.node.ts";
export { SHIPPED_MODEL } from "./tasks/folder/shipped-model.node.ts";
export type {
  ClassificationInput,
  LabelScore,
  TextClassificationPipeline,
} from "./tasks/pipelines/classification-pipeline.ts";
export type { MultipleChoicePipeline } from "./tasks/pipelines/multiple-choice-pipeline.ts";
export { type PipelineTask, pipeline } from "./tasks/pipelines/pipeline.node.ts";
export type {
  QuestionAnswer,
  QuestionAnsweringPipeline,
  QuestionOptions,
} from "./tasks/pipelines/question-pipeline.ts";
export type { RerankedText, RerankOptions, RerankPipeline } from "./tasks/pipelines/rerank.ts";
export type { SentenceSimilarityPipeline } from "./tasks/pipelines/similarity-pipeline.ts";
export type { TokenClassificationPipeline, TokenInput, TokenOptions } from "./tasks/pipelines/token-pipeline.ts";
export type { ZeroShotClassificationPipeline, ZeroShotOptions, ZeroShotResult } from "./tasks/pipelines/zero-shot.ts";
export { type EvaluatePretrainingOptions, evaluatePretraining } from "./tasks/pretraining/evaluate-pretraining.node.ts";
export {
  type PretrainEvent,
  type PretrainOptions,
  type PretrainResult,
  pretrain,
} from "./tasks/pretraining/pretrain.node.ts";
export { readLabelledTexts } from "./tasks/readers/labelled-texts.node.ts";
export type { Control } from "./tasks/run/control.ts";
export type { Answers, TaskPipeline } from "./tasks/run/task-pipeline.ts";
export type { RerankInput, SentencePair, TextInput } from "./tasks/run/text-or-pair.ts";
export { type PredictionFiles, scorePredictions } from "./tasks/score-predictions.node.ts";
export {
  evaluate,
  type FileEvaluation,
  finetune,
  sweep,
  type TaskName,
  type TaskOptions,
} from "./tasks/task-table.node.ts";
export { FeatureExtractor, type FeatureOptions } from "./tasks/vectors/feature-extractor.node.ts";
export type { FeatureExtractionPipeline, FeatureInput } from "./tasks/vectors/feature-pipeline.node.ts";
export type { FeatureTensor, PooledFeatures, TokenFeatures } from "./tasks/vectors/features.ts";
export type { LayerChoice } from "./tasks/vectors/layer-choice.ts";
export type { Pooling } from "./tasks/vectors/pooling.ts";
export { type FillMaskOptions, type FillMaskPipeline, fillMasks, type MaskFill } from "./tasks/words/fill-mask.ts";
export { openMaskedLanguageModel } from "./tasks/words/masked-language-model.node.ts";
export { type MaskedInput, MaskedLanguageModel } from "./tasks/words/masked-language-model.ts";
export { openNextSentenceModel } from "./tasks/words/next-sentence.node.ts";
export {
  NextSentenceModel,
  type NextSentencePipeline,
  type NextSentenceScore,
} from "./tasks/words/next-sentence.ts";
export { type NextWord, type NextWordOptions, type NextWordPipeline, nextWords } from "./tasks/words/next-word.ts";
export {
  type PseudoLogLikelihood,
  type PseudoLogLikelihoodPipeline,
  pseudoLogLikelihoods,
} from "./tasks/words/pseudo-log-likelihood.ts";
export type { Encoding } from "./tokenizer/encoding.ts";
export { loadTokenizer, saveTokenizer } from "./tokenizer/folder.node.ts";
export type { TokenizerOptions } from "./tokenizer/spec.ts";
export { TokenBuffer } from "./tokenizer/token-buffer.ts";
export { BertTokenizer, type EncodeOptions, type WindowOptions } from "./tokenizer/tokenizer.ts";
export {
  type TrainedVocabulary,
  type TrainVocabularyOptions,
  trainVocabulary,
  type VocabularyProgress,
} from "./tokenizer/train-vocabulary.ts";
export type { Evaluation } from "./train/trainable.ts";
