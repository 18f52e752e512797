"""事项目录: from what clerks write to what terminals hold."""
