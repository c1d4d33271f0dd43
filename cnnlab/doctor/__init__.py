"""What is wrong with a training, said in words with the evidence: pure rules over what a run wrote."""
