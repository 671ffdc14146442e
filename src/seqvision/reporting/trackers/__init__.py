"""Where metrics and scores are logged besides metrics.jsonl: TensorBoard, wandb offline, mlflow on local files."""
