"""What is told to TensorBoard, MLflow and others while a run lasts."""
