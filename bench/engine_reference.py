"""The other side of bench/engine.mjs: the same shapes in transformers on PyTorch, eager, all cores. Prints {"tokensPerSecond","peakMiB"}."""

import json
import resource
import sys
import time

import torch
from transformers import ModelConfig, LlamaForCausalLM

task = json.loads(sys.argv[1])
config = ModelConfig(
    vocab_size=task["vocabulary"],
    hidden_size=task["width"],
    num_hidden_layers=task["layers"],
    num_attention_heads=task["heads"],
    num_key_value_heads=task["keyValueHeads"],
    intermediate_size=task["mlpWidth"],
    max_position_embeddings=1024,
    tie_word_embeddings=True,
    bos_token_id=None,
    eos_token_id=0,
    pad_token_id=0,
)
torch.manual_seed(1)
model = LlamaForCausalLM(config).to(getattr(torch, task["dtype"]))


def sequences(length, first):
    rows = [[1 + ((seed * 131 + i) * 7919) % (task["vocabulary"] - 1) for i in range(length)] for seed in range(first, first + task["batch"])]
    return torch.tensor(rows)


def sample_once(number):
    prompts = sequences(task["prompt"], number * task["batch"])
    with torch.no_grad():
        model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            do_sample=True,
            top_p=0.9,
            top_k=0,
            temperature=1.0,
            max_new_tokens=task["fresh"],
            min_new_tokens=task["fresh"],
        )
    return task["batch"] * task["fresh"]


optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.0) if task["job"] == "train" else None


def train_once(_):
    tokens = sequences(task["length"], 0)
    labels = tokens.clone()
    labels[:, : task["length"] - task["completion"]] = -100
    optimizer.zero_grad()
    model(input_ids=tokens, labels=labels).loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9)
    optimizer.step()
    return tokens.numel()


once = sample_once if task["job"] == "sample" else train_once
rates = []
for number in range(-2, task["repeats"]):
    start = time.perf_counter()
    count = once(number + 2)
    if number >= 0:
        rates.append(count / (time.perf_counter() - start))
rates.sort()
print(json.dumps({"tokensPerSecond": rates[len(rates) // 2], "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
