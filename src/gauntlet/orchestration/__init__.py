"""Everything that knows Kubeflow Pipelines: the component decorator, the local engine, compiling, publishing."""
