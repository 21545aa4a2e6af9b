"""The subgraph that Apollo's compatibility suite asks about, on the schema and view of the hub."""

from __future__ import annotations

from types import SimpleNamespace

import strawberry
from strawberry import federation
from strawberry.federation.schema_directive import Location, schema_directive

from schema import execution
from schema.execution.entity import Subgraph


@schema_directive(
    locations=[Location.OBJECT],
    name="custom",
    compose=True,
    import_url="https://myspecs.dev/myCustomDirective/v1.0",
)
class Custom:
    pass


@federation.type(extend=True, keys=["email"])
class User:
    email: strawberry.ID = federation.field(external=True)
    total_products_created: int | None = federation.field(external=True)
    years_of_employment: int = federation.field(external=True)
    name: str | None = federation.field(override="users", default="Jane Smith")

    @federation.field(requires=["totalProductsCreated yearsOfEmployment"])
    def average_products_created_per_year(self) -> int | None:
        if self.total_products_created is None:
            return None
        return round(self.total_products_created / self.years_of_employment)

    @classmethod
    def resolve_reference(cls, email, **brought):
        return cls(
            email=email,
            total_products_created=brought.get("totalProductsCreated"),
            years_of_employment=brought.get("yearsOfEmployment", 10),
        )


@federation.type(shareable=True)
class ProductDimension:
    size: str | None
    weight: float | None
    unit: str | None = federation.field(inaccessible=True)


@strawberry.type
class ProductVariation:
    id: strawberry.ID


@strawberry.type
class CaseStudy:
    case_number: strawberry.ID
    description: str | None


@federation.type(keys=["study { caseNumber }"])
class ProductResearch:
    study: CaseStudy
    outcome: str | None = None

    @classmethod
    def resolve_reference(cls, study, **_):
        return RESEARCH.get(study["caseNumber"])


@federation.type(
    keys=["id", "sku package", "sku variation { id }"],
    directives=[Custom()],
)
class Product:
    id: strawberry.ID
    sku: str | None
    package: str | None
    variation: ProductVariation | None
    dimensions: ProductDimension | None
    research: list[ProductResearch]
    created_by: User | None = federation.field(provides=["totalProductsCreated"])
    notes: str | None = federation.field(tags=["internal"], default=None)

    @classmethod
    def resolve_reference(cls, id=None, sku=None, package=None, variation=None, **_):  # noqa: A002 - a GraphQL word
        for one in PRODUCTS:
            if id == one.id or (sku == one.sku and _is_of(one, package, variation)):
                return one
        return None


@federation.type(keys=["sku package"])
class DeprecatedProduct:
    sku: str
    package: str
    reason: str | None
    created_by: User | None

    @classmethod
    def resolve_reference(cls, sku, package, **_):
        return DEPRECATED if (sku, package) == (DEPRECATED.sku, DEPRECATED.package) else None


@federation.interface_object(keys=["id"])
class Inventory:
    id: strawberry.ID

    @strawberry.field
    def deprecated_products(self) -> list[DeprecatedProduct]:
        return [DEPRECATED]

    @classmethod
    def resolve_reference(cls, id, **_):  # noqa: A002 - a GraphQL word
        return cls(id=id)


@federation.type(extend=True)
class Query:
    @strawberry.field
    def product(self, id: strawberry.ID) -> Product | None:  # noqa: A002 - a GraphQL word
        return next((one for one in PRODUCTS if one.id == id), None)

    @strawberry.field(deprecation_reason="Use product query instead")
    def deprecated_product(self, sku: str, package: str) -> DeprecatedProduct | None:
        return DeprecatedProduct.resolve_reference(sku, package)


JANE = User(
    email=strawberry.ID("support@apollographql.com"),
    total_products_created=1337,
    years_of_employment=10,
)
SMALL = ProductDimension(size="small", weight=1, unit="kg")
DEPRECATED = DeprecatedProduct(
    sku="apollo-federation-v1",
    package="@apollo/federation-v1",
    reason="Migrate to Federation V2",
    created_by=JANE,
)
RESEARCH = {
    number: ProductResearch(study=CaseStudy(case_number=strawberry.ID(number), description=said))
    for number, said in {"1234": "Federation Study", "1235": "Studio Study"}.items()
}
PRODUCTS = [
    Product(
        id=strawberry.ID(f"apollo-{sku}"),
        sku=sku,
        package=package,
        variation=ProductVariation(id=strawberry.ID(variation)),
        dimensions=SMALL,
        research=[RESEARCH[study]],
        created_by=JANE,
    )
    for sku, package, variation, study in (
        ("federation", "@apollo/federation", "OSS", "1234"),
        ("studio", "", "platform", "1235"),
    )
]


def _is_of(product, package, variation):
    return package == product.package or variation == vars(product.variation)


class _Older(Subgraph):
    """A subgraph of the newest federation that the suite knows; the hub is one of 2.9."""

    def __init__(self, **parts):
        super().__init__(**{**parts, "federation_version": "2.3"})


class Products(execution.Schema, _Older):
    """The suite's subgraph, whose operations run as the hub's do."""


async def _context(scope, plan, body):
    return SimpleNamespace(problems=[])


def app():
    schema = Products(Query, types=[Inventory, User], traces=True)
    return execution.GraphQLView(schema, _context, page=None)
