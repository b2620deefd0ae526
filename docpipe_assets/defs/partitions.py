"""One dynamic partition a document; its key is the document's S3 key (see ``identity``)."""

import dagster as dg

documents = dg.DynamicPartitionsDefinition(name="documents")
