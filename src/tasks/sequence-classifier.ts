import type { MultiLabelClassifier } from "./multi-label-classification.ts";
import type { Regressor } from "./regression.ts";
import type { TextClassifier } from "./text-classification.ts";

/** BertForSequenceClassification, which does three tasks; all of them are about texts and pairs of texts. */
export type SequenceClassifier = TextClassifier | MultiLabelClassifier | Regressor;
