"""What the Train tab is asked, for tests."""

from app.visitors.room import Room, Visitor


class Lesson(Room):
    """A classroom in which `who` speaks."""

    def __init__(self, folder):
        super().__init__(folder, password="chalk", classroom=True, teacher_password="red pencil")
        self.who = Visitor("ada", False)

    def visitor(self, request):
        return self.who
