"""Views of Django REST framework."""

from typing import Any

from rest_framework import filters, parsers, permissions, serializers, viewsets
from rest_framework.decorators import action, api_view, permission_classes, throttle_classes
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from notes.models import Note


class NoteSerializer(serializers.HyperlinkedModelSerializer):
    owner = serializers.ReadOnlyField(source="owner.username")

    class Meta:
        model = Note
        fields = ("url", "title", "text", "owner")

    def validate_title(self, title: str) -> str:
        if title == "forbidden":
            raise serializers.ValidationError("Not this one.")
        return title


class IsOwner(permissions.BasePermission):
    def has_object_permission(self, request: Request, view: APIView, obj: Note) -> bool:
        return request.method in permissions.SAFE_METHODS or obj.owner == request.user


class NoteViewSet(viewsets.ModelViewSet):
    queryset = Note.objects.select_related("owner")
    serializer_class = NoteSerializer
    permission_classes = [permissions.IsAuthenticatedOrReadOnly, IsOwner]
    filter_backends = [filters.SearchFilter, filters.OrderingFilter]
    search_fields = ["title"]

    def perform_create(self, serializer: Any) -> None:
        serializer.save(owner=self.request.user)

    @action(detail=True, methods=["post"])
    def shout(self, request: Request, pk: str | None = None) -> Response:
        note = self.get_object()
        note.title = note.title.upper()
        note.save()
        return Response(self.get_serializer(note).data)


class Upload(APIView):
    parser_classes = [parsers.MultiPartParser]

    def post(self, request: Request) -> Response:
        files = [(each.name, each.content_type, each.size, each.read().decode()) for each in request.data.getlist("f")]
        return Response({"files": files, "text": request.data["text"]}, status=201)


class RawUpload(APIView):
    parser_classes = [parsers.FileUploadParser]

    def put(self, request: Request, filename: str) -> Response:
        return Response({"name": request.data["file"].name, "size": request.data["file"].size})


class Seldom(UserRateThrottle):
    scope = "seldom"


@api_view(["GET"])
@throttle_classes([Seldom])
def seldom(request: Request) -> Response:
    return Response("now")


@api_view(["GET"])
@permission_classes([permissions.AllowAny])
def broken(request: Request) -> Response:
    raise RuntimeError("a secret")
