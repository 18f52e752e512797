"""What lies on the disk, and what a disk does to it: files, the database, room."""
