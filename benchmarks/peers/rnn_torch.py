"""LSTM encoder-decoders with attention in plain PyTorch.

`nn.LSTM` runs the encoder, and the whole decoder with Luong's attention. Bahdanau's attention
comes before each step of the decoder, which needs a loop over `nn.LSTMCell`. The part that
depends only on the source is computed before the loop.
"""

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    def __init__(self, vocabulary: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(
            width, width // 2, layers, batch_first=True, bidirectional=True, dropout=dropout
        )
        self.bridge = nn.Linear(width, 2 * layers * width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the memory (N, S, D), and h and c of all decoder layers (2, layers, N, D)."""
        memory, _ = self.lstm(self.dropout(self.embedding(source)))
        memory = self.dropout(memory)
        real = mask.unsqueeze(-1).to(memory.dtype)
        mean = (memory * real).sum(1) / real.sum(1)
        state = torch.tanh(self.bridge(mean))
        state = state.view(len(mean), 2, -1, memory.shape[-1])
        return memory, state.permute(1, 2, 0, 3).contiguous()


class Luong(nn.Module):
    """Maps the source (N, S), its mask (N, S) bool and the target (N, T) to logits (N, T, V)."""

    def __init__(self, vocabulary: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.encoder = Encoder(vocabulary, width, layers, dropout)
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True, dropout=dropout)
        self.key = nn.Linear(width, width, bias=False)
        self.readout, self.output = nn.Linear(2 * width, width), nn.Linear(width, vocabulary)
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        memory, (h, c) = self.encoder(source, mask)
        y, _ = self.lstm(self.dropout(self.embedding(target)), (h, c))
        scores = (y @ self.key(memory).transpose(1, 2)).masked_fill(~mask[:, None], -torch.inf)
        context = scores.softmax(-1) @ memory
        readout = torch.tanh(self.readout(torch.cat([y, context], -1)))
        return self.output(self.dropout(readout))


class Bahdanau(nn.Module):
    """Maps the source (N, S), its mask (N, S) bool and the target (N, T) to logits (N, T, V)."""

    def __init__(self, vocabulary: int, width: int, layers: int, dropout: float):
        super().__init__()
        self.encoder = Encoder(vocabulary, width, layers, dropout)
        self.embedding = nn.Embedding(vocabulary, width)
        self.cells = nn.ModuleList(
            nn.LSTMCell(2 * width if layer == 0 else width, width) for layer in range(layers)
        )
        self.key, self.query = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)
        self.readout, self.output = nn.Linear(3 * width, width), nn.Linear(width, vocabulary)
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        memory, (h, c) = self.encoder(source, mask)
        h, c = list(h), list(c)
        keys, embedded = self.key(memory), self.dropout(self.embedding(target))
        outputs, contexts = [], []
        for step in embedded.unbind(1):
            hidden = torch.tanh(keys + self.query(h[-1]).unsqueeze(1))
            scores = self.score(hidden).squeeze(-1).masked_fill(~mask, -torch.inf)
            context = torch.bmm(scores.softmax(-1).unsqueeze(1), memory).squeeze(1)
            x = torch.cat([step, context], -1)
            for layer, cell in enumerate(self.cells):
                h[layer], c[layer] = cell(self.dropout(x) if layer else x, (h[layer], c[layer]))
                x = h[layer]
            outputs.append(x)
            contexts.append(context)
        y = torch.cat([torch.stack(outputs, 1), torch.stack(contexts, 1), embedded], -1)
        return self.output(self.dropout(torch.tanh(self.readout(y))))
