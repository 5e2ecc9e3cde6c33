"""Fine-tuning produces the model: encoder, captions, pairs, loss, training, evaluation."""
