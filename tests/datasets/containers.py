"""Small logs, and the containers that real ones come in. No real data set is part of the tests."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd

TITLES = ["Toy Story", "Mis\u00e9rables, Les", "Who? The (Sequel)", "Land (Film)"]
YEARS = [1995, 1935, 2001, 1987]
GENRES = ["Animation|Children's|Comedy", "Drama|Musical", "Sci-Fi", "Action|Film-Noir"]
OCCUPATIONS = ["writer", "none", "doctor"]


def ratings(n_users=3, n_items=4, seed=0):
    """All pairs of a few users and items but one, in random order."""
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(n_users * n_items)[1:]
    return pd.DataFrame(
        {
            "user": pairs // n_items + 1,
            "item": pairs % n_items + 1,
            "rating": rng.integers(1, 6, len(pairs)),
            "timestamp": rng.integers(874724710, 893286638, len(pairs)),
        }
    )


def write_100k(folder: Path, frame: pd.DataFrame) -> Path:
    """u.data, u.item and u.user as in the official archive: latin-1, no header, one flag per genre."""
    from recprune.datasets.attributes import ML_100K_GENRES

    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / "u.data", sep="\t", header=False, index=False)
    lines = []
    for number, (title, year, genres) in enumerate(zip(TITLES, YEARS, GENRES, strict=True), 1):
        flags = "|".join(str(int(genre in genres.split("|"))) for genre in ML_100K_GENRES)
        lines.append(f"{number}|{title} ({year})|01-Jan-{year}||http://example.org/{number}|{flags}\n")
    (folder / "u.item").write_text("".join(lines), encoding="latin-1")
    users = [f"{n}|{20 + n}|{'FM'[n % 2]}|{job}|12345\n" for n, job in enumerate(OCCUPATIONS, 1)]
    (folder / "u.user").write_text("".join(users))
    return folder


def write_recbole(folder: Path, frame: pd.DataFrame, name="ml-100k") -> Path:
    """The same in RecBole's atomic files: typed header, genres separated by blanks, UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    (folder / f"{name}.inter").write_text(header + frame.to_csv(sep="\t", header=False, index=False))
    lines = [
        f"{n}\t{title}\t{year}\t{genres.replace('|', ' ')}\n"
        for n, (title, year, genres) in enumerate(zip(TITLES, YEARS, GENRES, strict=True), 1)
    ]
    header = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    (folder / f"{name}.item").write_text(header + "".join(lines), encoding="utf-8")
    lines = [f"{n}\t{20 + n}\t{'FM'[n % 2]}\t{job}\t12345\n" for n, job in enumerate(OCCUPATIONS, 1)]
    header = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
    (folder / f"{name}.user").write_text(header + "".join(lines))
    return folder


def write_1m(folder: Path, frame: pd.DataFrame) -> Path:
    """ratings.dat, movies.dat and users.dat, separated by `::`, latin-1."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["::".join(map(str, row)) + "\n" for row in frame.to_numpy().tolist()]
    (folder / "ratings.dat").write_text("".join(lines))
    items = zip(TITLES, YEARS, GENRES, strict=True)
    lines = [f"{n}::{title} ({year})::{genres}\n" for n, (title, year, genres) in enumerate(items, 1)]
    (folder / "movies.dat").write_text("".join(lines), encoding="latin-1")
    users = [f"{n}::{'FM'[n % 2]}::{20 + n}::{job}::12345\n" for n, job in enumerate(OCCUPATIONS, 1)]
    (folder / "users.dat").write_text("".join(users))
    return folder


def write_csv(folder: Path, frame: pd.DataFrame) -> Path:
    """ratings.csv and movies.csv of the newer archives: quoted titles, UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.set_axis(["userId", "movieId", "rating", "timestamp"], axis=1).to_csv(folder / "ratings.csv", index=False)
    titles = [f"{title} ({year})" for title, year in zip(TITLES, YEARS, strict=True)]
    movies = pd.DataFrame({"movieId": range(1, 5), "title": titles, "genres": GENRES})
    movies.to_csv(folder / "movies.csv", index=False)
    return folder


LAYOUTS = {"u.data": write_100k, "inter": write_recbole, "ratings.dat": write_1m, "ratings.csv": write_csv}


def write_file(path: Path, frame: pd.DataFrame) -> Path:
    """`frame` in the container that the suffix of `path` names."""
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "parquet":
        frame.to_parquet(path, index=False)
        return path
    if kind == "dat":
        lines = [list(frame.columns), *frame.astype(str).to_numpy().tolist()]
        text = "".join("::".join(line) + "\n" for line in lines)
    else:
        text = frame.to_csv(index=False, sep={"csv": ",", "tsv": "\t", "psv": "|", "ssv": ";"}[kind])
    path.write_bytes(gzip.compress(text.encode()) if path.name.endswith(".gz") else text.encode())
    return path
