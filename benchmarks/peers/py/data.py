"""Data layer of the Python peers: SQLAlchemy 2 async ORM models, batch functions, partner client."""

from __future__ import annotations

import functools
import os
from collections import defaultdict

import aiohttp
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

DSN = os.environ["PEERS_DSN"].replace("postgresql://", "postgresql+asyncpg://")
PARTNERS = os.environ.get("PEERS_PARTNERS", "")
engine = create_async_engine(DSN, pool_size=10, max_overflow=0, pool_timeout=60)
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Category(Base):
    __tablename__ = "categories"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Service(Base):
    __tablename__ = "services"
    id: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[int]
    code: Mapped[str]
    name: Mapped[str] = mapped_column("name_en")
    summary: Mapped[str]
    sla_days: Mapped[int]


class Document(Base):
    __tablename__ = "documents"
    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int]
    name: Mapped[str]


class Partner(Base):
    __tablename__ = "partners"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]


class ServicePartner(Base):
    __tablename__ = "service_partners"
    service_id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"), primary_key=True)


class Talent(Base):
    __tablename__ = "talents"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    category: Mapped[str]


class Card(Base):
    __tablename__ = "cards"
    serial: Mapped[str] = mapped_column(primary_key=True)
    talent_id: Mapped[int] = mapped_column(ForeignKey("talents.id"))
    status: Mapped[str]
    talent: Mapped[Talent] = relationship(lazy="raise")


async def all_categories():
    async with Session() as s:
        return (await s.scalars(select(Category).order_by(Category.id))).all()


async def services_page(category_ids, first):
    async with Session() as s:
        q = (
            select(Service)
            .where(Service.category_id.in_(category_ids))
            .order_by(Service.id)
            .limit(first)
        )
        return (await s.scalars(q)).all()


async def card_by_serial(serial):
    async with Session() as s:
        return await s.scalar(
            select(Card).where(Card.serial == serial).options(joinedload(Card.talent))
        )


async def offers(kind, first):
    async with Session() as s:
        q = (
            select(Service, ServicePartner.partner_id)
            .join(ServicePartner, ServicePartner.service_id == Service.id)
            .join(Partner, Partner.id == ServicePartner.partner_id)
            .where(Partner.kind == kind)
            .order_by(Service.id, Partner.id)
            .limit(first)
        )
        return (await s.execute(q)).all()


async def services_of(category_ids):
    by = defaultdict(list)
    async with Session() as s:
        for r in await s.scalars(
            select(Service).where(Service.category_id.in_(category_ids)).order_by(Service.id)
        ):
            by[r.category_id].append(r)
    return [by[k] for k in category_ids]


async def documents_of(service_ids):
    by = defaultdict(list)
    async with Session() as s:
        for r in await s.scalars(
            select(Document).where(Document.service_id.in_(service_ids)).order_by(Document.id)
        ):
            by[r.service_id].append(r)
    return [by[k] for k in service_ids]


async def partners_of(service_ids):
    by = defaultdict(list)
    async with Session() as s:
        q = (
            select(ServicePartner.service_id, Partner)
            .join(Partner, Partner.id == ServicePartner.partner_id)
            .where(ServicePartner.service_id.in_(service_ids))
            .order_by(Partner.id)
        )
        for sid, p in await s.execute(q):
            by[sid].append(p)
    return [by[k] for k in service_ids]


@functools.cache
def http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60))


def partner_batch(path):
    async def load(ids):
        async with http().get(f"{PARTNERS}/{path}?ids={','.join(map(str, ids))}") as r:
            r.raise_for_status()
            return await r.json()

    return load


async def partner_one(path, i):
    async with http().get(f"{PARTNERS}/{path}/{i}") as r:
        r.raise_for_status()
        return await r.json()
