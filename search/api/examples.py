"""Examples of answers, for the OpenAPI document."""

from typing import Any

_PRODUCT = {
    "id": "83-A",
    "title": "Red floral maxi dress",
    "attributes": {"colour": "Red", "category": "Dress", "price": 39.5},
    "picture_url": "/pictures/83-A.jpg",
}
_VARIANT = {
    "id": "83-B",
    "title": "Blue floral maxi dress",
    "attributes": {"colour": "Blue", "category": "Dress", "price": 39.5},
    "picture_url": "/pictures/83-B.jpg",
}
FACETS: dict[str, Any] = {
    "facets": {"colour": [{"value": "Red", "count": 12}, {"value": "Blue", "count": 9}]},
    "numbers": {
        "price": {
            "low": 10.5,
            "high": 39.5,
            "ranges": [
                {"low": 10.5, "high": 20.0, "count": 4},
                {"low": 20.0, "high": 39.5, "count": 17},
            ],
        }
    },
    "total": 21,
}
UNDERSTANDING: dict[str, Any] = {
    "text": "red dress",
    "filters": [
        {
            "field": "colour",
            "op": "=",
            "value": ["Red"],
            "from": "red",
            "key": "colour = Red",
            "label": "Red",
        },
        {
            "field": "price",
            "op": "<",
            "value": 40.0,
            "from": "under 40",
            "key": "price < 40",
            "label": "price under 40",
        },
    ],
    "boosts": [],
    "substituted": [],
    "not_carried": [],
    "avoided": [],
}
ANSWER: dict[str, Any] = {
    **FACETS,
    "relevance": {"is_good": True, "closeness": 0.98},
    "next": None,
    "hits": [
        {
            **_PRODUCT,
            "score": 0.312,
            "words": 1.0,
            "picture": "https://shop.example/83-A.jpg",
            "group": "83",
            "matched": {"colour": "Red", "price": 39.5},
            "variants": [_VARIANT],
            "variant_count": 1,
        }
    ],
    "understanding": UNDERSTANDING,
    "relaxed": [],
    "encode_ms": 6.1,
    "index_ms": 4.2,
}
PRODUCT: dict[str, Any] = {
    **_PRODUCT,
    "group": "83",
    "picture": "https://shop.example/83-A.jpg",
    "variants": [_VARIANT],
}
SUGGESTIONS: dict[str, Any] = {
    "suggestions": [{"text": "red dress", "field": "category", "value": "Dress", "count": 123}]
}
SCHEMA: dict[str, Any] = {
    "name": "Shop",
    "products": 6699,
    "model": "shop-clip",
    "fields": [{"name": "colour", "kind": "keyword"}],
    "group": True,
    "currency": "€",
    "indexes": ["main"],
    "models": {"main": "shop-clip"},
}


def example(value: Any) -> dict[str, Any]:
    """A response's part of the document that shows this value."""
    return {"content": {"application/json": {"example": value}}}
