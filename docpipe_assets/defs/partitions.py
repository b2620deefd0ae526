"""One dynamic partition per document; its key is the document's S3 key (see ``identity``)."""

import dagster as dg

from docpipe_assets.instance.records.names import DOCUMENTS

documents = dg.DynamicPartitionsDefinition(name=DOCUMENTS)
