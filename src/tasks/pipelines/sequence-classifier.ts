import type { MultiLabelClassifier } from "../definitions/multi-label-classification.ts";
import type { Regressor } from "../definitions/regression.ts";
import type { TextClassifier } from "../definitions/text-classification.ts";

/** BertForSequenceClassification, which does three tasks; all of them are about texts and pairs of texts. */
export type SequenceClassifier = TextClassifier | MultiLabelClassifier | Regressor;
