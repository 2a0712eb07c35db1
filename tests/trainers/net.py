"""A small LightningModule and its data, as a person would write them."""

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset


class Net(lightning.LightningModule):
    def __init__(self, lr, width=8):
        super().__init__()
        self.lr = lr
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, width), torch.nn.ReLU(), torch.nn.Dropout(0.1),
            torch.nn.Linear(width, 1),
        )  # fmt: skip

    def training_step(self, batch):
        loss = torch.nn.functional.mse_loss(self.layers(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch):
        self.log("val_loss", torch.nn.functional.mse_loss(self.layers(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


class Data(lightning.LightningDataModule):
    def __init__(self, rows=128):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(rows, 4, generator=generator)
        self.rows = TensorDataset(x, x.sum(dim=1, keepdim=True))

    def train_dataloader(self):
        return DataLoader(self.rows, batch_size=16, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.rows, batch_size=64)
